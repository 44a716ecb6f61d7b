import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, it } from "node:test";
import { type CtlResult, ctl, ctlEnvironment, ctlProgram, finished, startCtl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import type { FakeAgent } from "../support/fake-agent.ts";
import { LocalGuest } from "../support/local-guest.ts";
import { Sockets } from "../support/sockets.ts";
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

const exec = (...words: string[]): Promise<CtlResult> => ctl(["exec", "--socket", sockets.path, ...words]);
const startExec = (...words: string[]): ReturnType<typeof startCtl> =>
  startCtl(["exec", "--socket", sockets.path, ...words], { stdin: "pipe" });

/** Runs exec with standard input and output as a shell would wire them up. */
async function inShell(script: string): Promise<CtlResult> {
  const child = spawn("bash", ["-c", script, process.execPath, await ctlProgram()], {
    env: ctlEnvironment({ LIMIQUANTIX_SOCKET: sockets.path }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  return finished(child);
}

/** Whether the processes of every command have gone. */
const allEnded = (): boolean => [...guest.commands.values()].every(({ info }) => !info.running);

describe("limiquantix-ctl exec", () => {
  it("passes output on as it is, each stream by itself, and the exit code", async () => {
    await serve();
    const { code, stdout, stderr } = await exec("--", "sh", "-c", "echo out; echo err >&2; exit 3");
    assert.deepEqual([code, stdout, stderr], [3, "out\n", "err\n"]);
  });

  it("leaves the command's own options alone, without -- too", async () => {
    await serve();
    assert.equal(succeeded(await exec("echo", "-n", "--json", "-t", "--", "x")), "--json -t -- x");
    assert.equal(succeeded(await exec("--", "printf", "%s\\n", "--help")), "--help\n");
  });

  it("changes no byte of large output, in both directions", async () => {
    await serve();
    const bytes = randomBytes(5 * 1024 * 1024 + 1);
    const file = path.join(sockets.folder, "bytes");
    writeFileSync(file, bytes);
    const hash = createHash("sha256").update(bytes).digest("hex");
    const result = await inShell(`"$0" "$1" exec -i cat < '${file}' | sha256sum`);
    assert.match(succeeded(result), new RegExp(`^${hash} `));
  });

  it("gives the command no standard input without -i", async () => {
    await serve();
    assert.equal(succeeded(await inShell(`echo typed | "$0" "$1" exec -- cat`)), "");
    assert.equal(succeeded(await inShell(`echo typed | "$0" "$1" exec -i -- cat`)), "typed\n");
  });

  it("ends when the command does, whatever of its input is left", async () => {
    await serve();
    assert.equal(succeeded(await inShell(`yes | "$0" "$1" exec -i -- head -1`)), "y\n");
  });

  it("gives the command its environment, folder and shell", async () => {
    await serve();
    const line = "echo $A-$B; pwd";
    const words = ["-e", "A=1", "-e", "B=x=y", "-w", "/usr", "--shell", line, "|", "cat"];
    assert.equal(succeeded(await exec(...words)), "1-x=y\n/usr\n");
  });

  it("ends as the command does that died of a signal", async () => {
    await serve();
    assert.equal((await exec("--shell", "kill -TERM $$")).code, 128 + 15);
  });

  it("ends the command at --timeout, with 124", async () => {
    await serve();
    const { code, stdout, stderr } = await exec("--timeout", "1", "--shell", "echo begun; sleep 60");
    assert.deepEqual([code, stdout], [124, "begun\n"]);
    assert.equal(stderr, "limiquantix-ctl: the command was ended after 1 s\n");
  });

  it("tells commands that are not there, or may not be run, as a shell does", async () => {
    await serve();
    failed(await exec("no-such-command"), { code: 127, message: /QXGA-3001.*no-such-command/ });
    failed(await exec("/etc/passwd"), { code: 126, message: /QXGA-3002.*\/etc\/passwd/ });
    failed(await exec("-w", "/no/such/folder", "ls"), { code: 127, message: /QXGA-3/ });
  });

  it("says so when the agent cannot run commands with streams", async () => {
    await sockets.serve();
    failed(await exec("ls"), { code: 1, message: /9\.9\.9/ });
  });

  it("does not take the command's --json for its own when it fails", async () => {
    await serve();
    failed(await exec("no-such-command", "--json"), { code: 127, message: /QXGA-3001/ });
  });

  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
    ["SIGQUIT", 3],
  ] as const) {
    it(`passes ${signal} on`, async () => {
      await serve();
      const script = `exec 2>/dev/null; trap 'echo got ${number}; exit 9' ${number}; echo ready; while :; do sleep 0.02; done`;
      const child = await startExec("--shell", script);
      child.stdout?.once("data", () => child.kill(signal));
      assert.deepEqual(await finished(child), { code: 9, stdout: `ready\ngot ${number}\n`, stderr: "" });
    });
  }

  it("dies of a signal as the command does", async () => {
    await serve();
    const child = await startExec("--shell", "echo ready; exec sleep 60");
    child.stdout?.once("data", () => child.kill("SIGINT"));
    assert.equal((await finished(child)).code, 130);
  });

  it("ends itself and the command on a second SIGINT within a second", async () => {
    await serve();
    const child = await startExec(
      "--shell",
      "trap 'echo got it' 2; echo ready; while :; do sleep 0.02; done",
    );
    const result = finished(child);
    child.stdout?.on("data", () => child.kill("SIGINT"));
    assert.equal((await result).code, 130);
    await until("the command has ended", allEnded);
  });

  it("ends the command when nobody reads its output any more", async () => {
    await serve();
    const script = `"$0" "$1" exec yes | head -1; echo "\${PIPESTATUS[0]}"`;
    assert.equal(succeeded(await inShell(script)), "y\n141\n");
    await until("the command has ended", allEnded);
    const errors = `{ "$0" "$1" exec --shell 'yes >&2'; echo "$?" >&3; } 2>&1 | head -1`;
    assert.equal(succeeded(await inShell(`exec 3>&1; ${errors}`)), "y\n141\n");
    await until("the command has ended", allEnded);
  });

  it("says when output cannot be written, and ends the command", async () => {
    await serve();
    const { code, stderr } = await inShell(`"$0" "$1" exec yes > /dev/full`);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^limiquantix-ctl: the command was ended; its output could not be written: .*ENOSPC/,
    );
    await until("the command has ended", allEnded);
  });

  it("holds the command up when output is not read, and takes a signal meanwhile", async () => {
    await serve();
    const child = await startExec("--shell", "yes");
    const [command] = await until(
      "the command runs",
      () => guest.commands.size > 0 && [...guest.commands.values()],
    );
    await until("its output has stopped", async () => {
      const before = command?.sentBytes;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return before !== 0 && before === command?.sentBytes;
    });
    assert.ok((command?.sentBytes ?? Infinity) < 8 * 1024 * 1024, String(command?.sentBytes));
    child.kill("SIGTERM");
    assert.equal((await finished(child)).code, 128 + 15);
  });

  it("fails with 7 when the connection goes, and the command ends", async () => {
    const agent = await serve();
    const child = await startExec("--shell", "echo ready; exec sleep 60");
    child.stdout?.once("data", () => {
      agent.dropClients();
    });
    const { code, stderr } = await finished(child);
    assert.equal(code, 7);
    assert.match(stderr, /^limiquantix-ctl: connection lost: the VM stopped, or its host daemon took .*\n$/);
    await until("the command has ended", allEnded);
  });

  it("ends the command when it is killed itself", async () => {
    await serve();
    const child = await startExec("--shell", "echo ready; exec sleep 60");
    child.stdout?.once("data", () => child.kill("SIGKILL"));
    assert.equal((await finished(child)).code, null);
    await until("the command has ended", allEnded);
  });

  it("refuses -t without a terminal, before it connects", async () => {
    failed(await exec("-t", "top"), { code: 2, message: /not a terminal/ });
    failed(await ctl(["shell", "--socket", sockets.path]), { code: 2, message: /not a terminal/ });
  });

  it("refuses a command line without a command, or with options that do not go together", async () => {
    failed(await exec(), { code: 2, message: /which command\?/ });
    const { code, stdout, stderr } = await exec("--json", "-i", "cat");
    assert.equal(code, 2);
    assert.equal((one(stdout)["error"] as { code: string }).code, "usage");
    assert.match(stderr, /--json and --stdin do not go together/);
  });

  it("explains itself", async () => {
    const help = succeeded(await ctl(["help", "exec"]));
    assert.match(help, /--timeout <seconds> +when to end the command/);
    assert.match(help, /Examples:\n +limiquantix-ctl exec --vm web1 -- df/);
    assert.match(succeeded(await ctl(["help", "shell"])), /~\. ends it/);
  });
});

describe("limiquantix-ctl exec --json", () => {
  it("prints one object with the output and the exit code, and ends with that", async () => {
    await serve();
    const { code, stdout, stderr } = await exec(
      "--json",
      "--",
      "sh",
      "-c",
      "printf 'a\\033'; echo b >&2; exit 3",
    );
    assert.deepEqual([code, stderr], [3, ""]);
    assert.doesNotMatch(stdout, /\u001b/);
    const { durationMs, ...result } = one(stdout);
    assert.equal(typeof durationMs, "number");
    assert.deepEqual(result, {
      exitCode: 3,
      stdout: "a\u001b",
      stderr: "b\n",
      truncated: false,
      timedOut: false,
    });
  });

  it("ends with 124 at --timeout, and with 127 when there is no such command", async () => {
    await serve();
    const late = await exec("--json", "--timeout", "1", "sleep", "60");
    assert.equal(late.code, 124);
    assert.equal(one(late.stdout)["timedOut"], true);
    const missing = await exec("--json", "no-such-command", "x");
    assert.equal(missing.code, 127);
    assert.equal((one(missing.stdout)["error"] as { agentCode: string }).agentCode, "QXGA-3001");
    assert.equal((await exec("--json", "no-such-command")).code, 127);
  });
});

describe("limiquantix-ctl exec --keep, --list and --attach", () => {
  /** A command that was started, and whose ctl has been killed. */
  async function left(script: string): Promise<string> {
    const child = await startExec("--keep", "-i", "--shell", script);
    let stderr = "";
    child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
    const id = await until("its id is told", () => /--attach (\S+)/.exec(stderr)?.[1]);
    const shown = await until(
      "it says something",
      () => (child.stdout?.read() as Buffer | null) ?? undefined,
    );
    assert.equal(shown.toString(), "ready\n");
    child.kill("SIGKILL");
    await until("its host has gone", () => guest.commands.get(id)?.isAttached === false);
    return id;
  }

  it("lets a command live on, and shows it", async () => {
    await serve();
    const id = await left("echo ready; read x; echo $x; exit 5");
    const text = succeeded(await exec("--list"));
    assert.match(text, /^ID +PID +STATE +USER +STARTED +COMMAND$/m);
    assert.match(
      text,
      new RegExp(`^${id} +\\d+ +kept +\\S+ +\\d{4}-\\d\\d-\\d\\d [\\d:]{8} +echo ready; read x;`, "m"),
    );
    const [row] = JSON.parse(succeeded(await exec("--list", "--json"))) as Record<string, unknown>[];
    assert.deepEqual([row?.["execId"], row?.["running"], row?.["onDisconnect"]], [id, true, "keep"]);
    assert.match(String(row?.["startedAt"]), /^\d{4}-.*Z$/);
  });

  it("takes it over again, output and input and exit code", async () => {
    await serve();
    const id = await left("echo ready; read x; echo $x; exit 5");
    const result = await inShell(`echo hello | "$0" "$1" exec --attach ${id} -i`);
    assert.deepEqual(result, { code: 5, stdout: "hello\n", stderr: "" });
    assert.equal(guest.commands.size, 0);
  });

  it("lets it live on when the connection or the terminal goes, and says how to come back", async () => {
    const agent = await serve();
    const id = await left("echo ready; while :; do sleep 0.05; echo again; done");
    for (const [end, code] of [
      ["connection", 7],
      ["terminal", 128 + 1],
    ] as const) {
      const child = await startExec("--attach", id);
      child.stdout?.once("data", () => {
        if (end === "connection") agent.dropClients();
        else child.kill("SIGHUP");
      });
      const result = await finished(child);
      assert.equal(result.code, code);
      if (end === "connection") assert.match(result.stderr, new RegExp(`goes on; .*--attach ${id}`));
      await until("its host has gone", () => guest.commands.get(id)?.isAttached === false);
      assert.equal(guest.commands.get(id)?.info.running, true);
    }
  });

  it("shows nothing but titles when nothing runs, and refuses ids that are none", async () => {
    await serve();
    assert.match(succeeded(await exec("--list")), /^ID .*\n$/);
    assert.equal(succeeded(await exec("--list", "--json")), "[]\n");
    failed(await exec("--attach", "none"), { code: 1, message: /QXGA-3011/ });
  });
});
