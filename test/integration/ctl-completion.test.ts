// Tab in the real shells, each in a real terminal. Needs tmux, zsh and fish.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, it } from "node:test";
import type { AgentMessage, Envelope } from "../../src/wire/envelope.ts";
import { FileKind } from "../../src/wire/envelope.ts";
import { ctl, ctlEnvironment, ctlProgram } from "../support/ctl.ts";
import { failed, succeeded } from "../support/ctl-result.ts";
import { Sockets } from "../support/sockets.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";
import { until } from "../support/until.ts";

const sockets = new Sockets();
const nasty = "my $(file) 'n\" #1";

/** What is in the guest; folders end with a slash, links to folders with an at sign. */
const tree: Readonly<Record<string, readonly string[]>> = {
  "/": ["etc/", "bin@", "home/", ".hidden/", "escape\u001b[2Jape", "sp ace/"],
  "/etc": ["hosts", "hostname", nasty, "col:on=x"],
  "/sp ace": ["größe"],
  "/many": Array.from({ length: 1500 }, (_, index) => `file-${index}`),
};
/** Paths that stat was asked for. */
let asked: string[] = [];

function answer({ listDirectory, fileStat }: AgentMessage): Envelope | undefined {
  if (listDirectory) {
    const folder = (listDirectory.path ?? "").replace(/(.)\/$/, "$1");
    const names = (tree[folder] ?? []).filter((name) => listDirectory.includeHidden || !name.startsWith("."));
    const entries = names.map((name) => ({
      name: name.replace(/[/@]$/, ""),
      path: path.posix.join(folder, name),
      kind: name.endsWith("/")
        ? FileKind.FILE_KIND_DIRECTORY
        : name.endsWith("@")
          ? FileKind.FILE_KIND_SYMLINK
          : FileKind.FILE_KIND_FILE,
    }));
    return { listDirectoryResponse: { success: true, entries, continuationToken: "", error: "" } };
  }
  if (fileStat) {
    const at = fileStat.path ?? "";
    asked.push(at);
    const kind = at === "/bin" ? FileKind.FILE_KIND_DIRECTORY : FileKind.FILE_KIND_FILE;
    return { fileStatResponse: { success: true, entry: { name: path.basename(at), path: at, kind } } };
  }
  return undefined;
}

/** A folder with the program by its name, a VM web1, and a few files. */
beforeEach(async () => {
  asked = [];
  const { folder } = sockets;
  const vms = path.join(folder, "var/run/limiquantix/vms");
  mkdirSync(vms, { recursive: true });
  await sockets.serveAt(path.join(vms, "web1.agent.sock"), { answer });
  await sockets.serveAt(path.join(vms, "db.agent.sock"), { silent: true });
  mkdirSync(path.join(folder, "here/folder"), { recursive: true });
  writeFileSync(path.join(folder, "here/webcam pic"), "");
  const program = path.join(folder, "limiquantix-ctl");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${await ctlProgram()}' "$@"\n`);
  chmodSync(program, 0o755);
});

const environment = (): Record<string, string> => {
  const { PATH = "", ...others } = ctlEnvironment({ LIMIQUANTIX_ROOT: sockets.folder });
  return { ...others, PATH: `${sockets.folder}:${PATH}`, HOME: sockets.folder, ZDOTDIR: sockets.folder };
};

interface Shell {
  name: "bash" | "zsh" | "fish";
  /** A line of /bin/sh that begins it, with the prompt "% ". */
  start: string;
  /** What it makes of a name with every special character. */
  quotedNasty: string;
  /** And with the word begun with a double quote. */
  lineWithQuote: string;
  /** How it writes an equals sign in a word. */
  equals: string;
}

const quotedNasty = String.raw`my\ \$\(file\)\ \'n\"\ \#1`;
const lineWithQuote = String.raw`limiquantix-ctl stat "web1:/etc/my \$(file) 'n\" #1"`;
const shells: Shell[] = [
  {
    ...{ name: "bash", quotedNasty, lineWithQuote, equals: "=" },
    start: "exec bash --noprofile --rcfile rc -i",
  },
  { ...{ name: "zsh", quotedNasty, lineWithQuote, equals: "=" }, start: "exec zsh -i" },
  {
    ...{ name: "fish", quotedNasty, lineWithQuote, equals: "=" },
    start: "exec fish --no-config --private -C 'source rc'",
  },
];

async function open({ name, start }: Shell): Promise<Terminal> {
  const { folder } = sockets;
  const rc = {
    bash: `PS1='% '; unset HISTFILE; eval "$(limiquantix-ctl completion bash)"; cd here`,
    zsh: `PS1='%% '; autoload -Uz compinit; compinit -u -D; source <(limiquantix-ctl completion zsh); cd here`,
    fish: `function fish_prompt; echo '% '; end; limiquantix-ctl completion fish | source; cd here`,
  };
  writeFileSync(path.join(folder, name === "zsh" ? ".zshrc" : "rc"), rc[name]);
  const script = `cd '${folder}'; ${start}`;
  const terminal = await Terminal.open({ columns: 100, rows: 30, script, env: environment() });
  await terminal.shows(/^%$/m);
  return terminal;
}

/** Types a text and Tab at a fresh prompt, and waits for the line that comes of it. */
async function completes(terminal: Terminal, typed: string, line: string): Promise<void> {
  await terminal.type(`${typed}\t`);
  const shown = (screen: string): string =>
    screen.split("\n").findLast((text) => text.startsWith("% ")) ?? "";
  let last = "";
  await until(`"${typed}" becomes "${line}"`, async () => {
    last = shown(await terminal.screen());
    return last.trimEnd() === `% ${line}`.trimEnd();
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it is: ${last}`, { cause: error });
  });
}

for (const shell of shells) {
  const needs = needsTool("tmux", "tmux").skip
    ? needsTool("tmux", "tmux")
    : needsTool(shell.name, shell.name);
  describe(`Tab in ${shell.name}`, needs, () => {
    it("completes commands, options and VMs", async () => {
      await using terminal = await open(shell);
      await completes(terminal, "limiquantix-ctl telem", "limiquantix-ctl telemetry");
      await completes(terminal, "--wa", "limiquantix-ctl telemetry --watch");
      await completes(terminal, "--vm we", "limiquantix-ctl telemetry --watch --vm web1");
      await completes(terminal, "--vm=d", "limiquantix-ctl telemetry --watch --vm web1 --vm=db");
    });

    it("completes paths in a guest, folder after folder, with every special character", async () => {
      await using terminal = await open(shell);
      await completes(terminal, "limiquantix-ctl stat we", "limiquantix-ctl stat web1:/");
      await completes(terminal, "et", "limiquantix-ctl stat web1:/etc/");
      await completes(terminal, "hosts", "limiquantix-ctl stat web1:/etc/hosts");
      await completes(
        terminal,
        "web1:/etc/my",
        `limiquantix-ctl stat web1:/etc/hosts web1:/etc/${shell.quotedNasty}`,
      );
      await terminal.press("Enter");
      await until(
        "the agent was asked",
        () => asked.includes(`/etc/${nasty}`) && asked.includes("/etc/hosts"),
      );
    });

    it("completes behind a quote, and in a name with separators", async () => {
      await using terminal = await open(shell);
      await completes(terminal, `limiquantix-ctl stat "web1:/etc/my`, shell.lineWithQuote);
      await completes(
        terminal,
        "--vm web1 /etc/col:o",
        `${shell.lineWithQuote} --vm web1 /etc/col:on${shell.equals}x`,
      );
      await terminal.press("Enter");
      await until(
        "the agent was asked",
        () => asked.includes(`/etc/${nasty}`) && asked.includes("/etc/col:on=x"),
      );
    });

    it("completes files of this host for cp, beside VMs", async () => {
      await using terminal = await open(shell);
      await completes(terminal, "limiquantix-ctl cp webc", "limiquantix-ctl cp webcam\\ pic");
      await completes(terminal, "./fo", "limiquantix-ctl cp webcam\\ pic ./folder/");
      await terminal.type(" web\t\t");
      await terminal.shows(/(web1:\/[^]*webcam|webcam[^]*web1:\/)[^]*$/);
    });

    it("inserts nothing, and says nothing, when the guest does not answer", async () => {
      await using terminal = await open(shell);
      await completes(terminal, "limiquantix-ctl ls db:/e", "limiquantix-ctl ls db:/e");
      await completes(terminal, "tc", "limiquantix-ctl ls db:/etc");
    });
  });
}

describe("what shells ask", () => {
  const complete = async (...words: string[]): Promise<string[]> => {
    const result = await ctl(["__complete", "--", ...words], { env: { LIMIQUANTIX_ROOT: sockets.folder } });
    return succeeded(result).trimEnd().split("\n").slice(1);
  };

  it("is answered with what a terminal and a line can show", async () => {
    const paths = ["web1:/etc/", "web1:/bin", "web1:/home/", "web1:/sp ace/"];
    assert.deepEqual(await complete("ls", "web1:/"), paths);
    assert.deepEqual(await complete("ls", "web1:/."), ["web1:/.hidden/"]);
    assert.deepEqual(await complete("ls", "web1:/sp ace/"), ["web1:/sp ace/größe"]);
  });

  it("follows a link when it is the only candidate", async () => {
    assert.deepEqual(await complete("ls", "web1:/b"), ["web1:/bin/"]);
  });

  it("goes by --vm, --socket and the environment", async () => {
    const socket = path.join(sockets.folder, "var/run/limiquantix/vms/web1.agent.sock");
    assert.deepEqual(await complete("ls", "--vm", "web1", "/etc/hosts"), ["/etc/hosts"]);
    assert.deepEqual(await complete("--socket", socket, "cp", ":/etc/hosts"), [":/etc/hosts"]);
    const env = { LIMIQUANTIX_SOCKET: socket };
    assert.equal(
      succeeded(await ctl(["__complete", "--", "rm", "/etc/hosts"], { env })),
      "none\n/etc/hosts\n",
    );
  });

  it("is answered with nothing when something is wrong, within seconds", async () => {
    const started = performance.now();
    assert.deepEqual(await complete("ls", "db:/e"), []);
    assert.ok(performance.now() - started < 5000);
    assert.deepEqual(await complete("ls", "no-such-vm:/e"), []);
    assert.deepEqual(await complete("ls", "--vm", "db", "web1:/e"), []);
  });

  it("is no more than a thousand, however many there are", async () => {
    assert.equal((await complete("ls", "web1:/many/")).length, 1000);
  });
});

describe("limiquantix-ctl completion", () => {
  it("knows three shells", async () => {
    assert.match(succeeded(await ctl(["completion", "bash"])), /complete -F/);
    failed(await ctl(["completion", "csh"]), { code: 2, message: /bash, zsh, fish/ });
  });
});
