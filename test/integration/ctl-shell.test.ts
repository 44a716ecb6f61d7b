// limiquantix-ctl with a terminal in the guest, and a real one here. Needs tmux.
import assert from "node:assert/strict";
import path from "node:path";
import { afterEach, describe, it } from "node:test";
import { ctl, ctlEnvironment, ctlProgram } from "../support/ctl.ts";
import { succeeded } from "../support/ctl-result.ts";
import type { FakeAgent } from "../support/fake-agent.ts";
import { LocalGuest } from "../support/local-guest.ts";
import { Sockets } from "../support/sockets.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";
import { until } from "../support/until.ts";

const sockets = new Sockets();
let guest = new LocalGuest();

/** An agent whose commands run on this machine. */
function serve(): Promise<FakeAgent> {
  guest = new LocalGuest();
  return sockets.serve({ guest });
}

afterEach(() => {
  guest.close();
});

/** A command of limiquantix-ctl in a terminal; what comes before and after it shows what it leaves behind. */
async function open(words: string): Promise<Terminal> {
  const command = `${process.execPath} ${await ctlProgram()} ${words}`;
  const script = `echo before; stty -g; ${command}; echo "ended with $?"; stty -g; exec cat`;
  const env = ctlEnvironment({ LIMIQUANTIX_SOCKET: sockets.path });
  return Terminal.open({ columns: 160, rows: 24, script, env });
}

/** Opens a shell, and waits for its prompt. */
async function openShell(words = ""): Promise<Terminal> {
  const terminal = await open(`shell ${words}`);
  try {
    await terminal.shows(prompt);
  } catch (error) {
    await terminal[Symbol.asyncDispose]();
    throw error;
  }
  return terminal;
}

/** What a shell says when it waits, after its system's /etc/profile. */
const prompt = /^[#$]/m;

/** Types a line. */
const enter = (terminal: Terminal, line: string): Promise<void> => terminal.press("-l", `${line}\r`);

/** What the terminal shows once the program has ended, with its settings as they were. */
async function endsCleanly(terminal: Terminal, code: number): Promise<string> {
  const screen = await terminal.shows(/ended with \d+\n[\da-f:]+$/m);
  const [, before, after] = /^before\n([\da-f:]+)\n[^]*ended with \d+\n([\da-f:]+)$/m.exec(screen) ?? [];
  assert.ok(before);
  assert.equal(after, before);
  assert.match(screen, new RegExp(`^ended with ${code}$`, "m"));
  return screen;
}

describe("limiquantix-ctl shell in a terminal", needsTool("tmux", "tmux"), () => {
  it("is a shell on a terminal of the guest, and ends as it does", async () => {
    await serve();
    await using terminal = await openShell();
    await enter(terminal, "tty; echo $TERM; stty size");
    await terminal.shows(/^\/dev\/pts\/\d+\nscreen\n24 160$/m);
    await enter(terminal, "exit 4");
    await endsCleanly(terminal, 4);
  });

  it("leaves keys to the guest: Ctrl-C, Ctrl-Z, Ctrl-S and arrows", async () => {
    await serve();
    await using terminal = await openShell();
    await enter(terminal, "sleep 100; echo went on");
    await terminal.press("C-c");
    await terminal.shows(/\^C[^]*^[#$] ?$/m);
    await enter(
      terminal,
      "stty raw -echo; echo is raw; dd bs=1 count=6 2>/dev/null | od -An -tx1; stty sane",
    );
    await terminal.shows(/^is raw/m);
    await terminal.press("C-z", "C-s", "C-d", "Up");
    await terminal.shows(/1a 13 04 1b (5b|4f) 41/);
  });

  it("follows the size of the window", async () => {
    await serve();
    await using terminal = await openShell();
    await terminal.resize(100, 30);
    await until("the guest has the size", async () => {
      await enter(terminal, "clear; stty size");
      return /^30 100$/m.test(await terminal.screen());
    });
    await enter(terminal, "exit");
  });

  it("does not touch output: a line feed alone goes down and not back", async () => {
    await serve();
    await using terminal = await openShell();
    await enter(terminal, "clear; stty -opost; printf 'a\\nb\\nc\\r\\n'; stty opost");
    await terminal.shows(/^a\n b\n {2}c$/m);
  });

  it("ends on ~. with the command, and explains ~?", async () => {
    await serve();
    await using terminal = await openShell();
    await enter(terminal, "echo '~.' a~.");
    await terminal.shows(/^~\. a~\.$/m);
    await terminal.press("-l", "~?");
    assert.doesNotMatch(await terminal.shows(/^ {2}~\. {2}end the command$/m), /detach/);
    await terminal.press("-l", "~.");
    assert.match(await endsCleanly(terminal, 137), /^limiquantix-ctl: the command was ended$/m);
    await until("the command has ended", () =>
      [...guest.commands.values()].every(({ info }) => !info.running),
    );
  });

  it("gives the terminal back when the connection is lost, whatever runs there", async () => {
    const agent = await serve();
    await using terminal = await openShell();
    await enter(terminal, "printf '\\033[?1049h\\033[?25l\\033[?1000h'; echo editor; sleep 100");
    await terminal.shows(/^editor$/m);
    agent.dropClients();
    const screen = await endsCleanly(terminal, 7);
    assert.match(screen, /^limiquantix-ctl: connection lost: the VM stopped, /m);
    assert.doesNotMatch(screen, /^editor$/m);
    assert.equal(await terminal.flags(), "cursor=1 alternate=0 mouse=0");
  });

  it("gives the terminal back when the agent is started anew", async () => {
    const agent = await serve();
    await using terminal = await openShell();
    agent.restart();
    assert.match(await endsCleanly(terminal, 7), /connection lost: the agent in the guest was started anew/);
  });

  it("gives the terminal back on signals", async () => {
    for (const [signal, code] of [
      ["SIGHUP", 129],
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGQUIT", 131],
    ] as const) {
      await serve();
      await using terminal = await open("exec -t --shell 'echo ready; exec sleep 100'");
      await terminal.shows(/^ready$/m);
      await terminal.signalProgram(signal);
      await endsCleanly(terminal, code);
      await sockets.closeAll();
    }
  });

  it("gives the terminal back before it tells of an error of its own", async () => {
    const command = `${process.execPath} --import tsx ${path.resolve("test/support/failing-terminal.ts")}`;
    await using terminal = await Terminal.open({
      columns: 100,
      rows: 24,
      script: `echo before; stty -g; ${command} 2>&1 | grep Error; echo "ended with $?"; stty -g; exec cat`,
      env: ctlEnvironment(),
    });
    assert.match(await endsCleanly(terminal, 0), /^Error: of its own$/m);
  });

  it("gives the terminal back when it is stopped, and takes it again", async () => {
    await serve();
    await using terminal = await Terminal.open({
      columns: 160,
      rows: 24,
      script: "exec bash --norc",
      env: ctlEnvironment({ PS1: "shell> ", LIMIQUANTIX_SOCKET: sockets.path }),
    });
    await terminal.shows(/^shell>/m);
    await enter(terminal, `node ${await ctlProgram()} exec -t -e 'PS1=guest> ' sh`);
    await terminal.shows(/^guest>/m);
    const raw = await terminal.settings();
    await terminal.signalProgram("SIGTSTP");
    await terminal.shows(/Stopped/);
    await enter(terminal, "fg");
    await until("it is raw again", async () => (await terminal.settings()) === raw);
    await enter(terminal, "echo it is back");
    await terminal.shows(/^it is back$/m);
    await enter(terminal, "exit");
  });

  it("detaches on ~d with --keep, and comes back", async () => {
    await serve();
    await using terminal = await openShell("--keep");
    await enter(terminal, "X=remembered");
    await terminal.press("-l", "~?");
    await terminal.shows(/~d {2}detach/);
    await terminal.press("-l", "~d");
    const [, id = ""] =
      /detached; to come back: .* --attach (\S+) -i$/m.exec(await endsCleanly(terminal, 0)) ?? [];
    await until("its host has gone", () => guest.commands.get(id)?.isAttached === false);
    assert.match(
      succeeded(await ctl(["exec", "--list", "--socket", sockets.path])),
      new RegExp(`^${id} .* kept `, "m"),
    );

    await using again = await open(`exec --attach ${id} -i`);
    await again.shows(/^before\n\S+$/m);
    await enter(again, "");
    await again.shows(prompt);
    await enter(again, "echo $X; exit 6");
    assert.match(await endsCleanly(again, 6), /^remembered$/m);
  });
});
