import assert from "node:assert/strict";
import path from "node:path";
import { before, describe, it } from "node:test";
import type { RequestFields } from "../../src/wire/operations.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";
import type { Machine } from "../support/vm/machine.ts";
import { savedGuest } from "../support/vm/saved.ts";
import { Terminal } from "../support/tmux.ts";

/** How long the agent may take to be there in an emulated guest. */
const startDeadlineMs = 60_000;

let guest: Awaited<ReturnType<typeof savedGuest>>;
before(async () => {
  guest = await savedGuest();
});

async function guestWithHost(): Promise<AsyncDisposable & { machine: Machine; host: RawHost; pid: number }> {
  const machine = await guest.restore();
  const pid = await machine.startAgent();
  const host = await RawHost.connect(machine.agentSocket);
  await host.until("agentReady", startDeadlineMs);
  return { machine, host, pid, [Symbol.asyncDispose]: () => machine.stop() };
}

async function execute(host: RawHost, request: RequestFields<"execute">) {
  const answer = await host.ask({ execute: { waitForExit: true, ...request } }, "plain", 60_000);
  assert.ok(answer.executeResponse, answer.error?.message ?? "no executeResponse");
  return answer.executeResponse;
}

describe("commands in a guest", () => {
  it("runs as each kind of user, with the groups that su gives", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    for (const user of ["root", "alice", "many"]) {
      const answer = await execute(host, {
        command: "id",
        args: ["-G"],
        runAsUser: user,
        includeSupplementaryGroups: true,
      });
      const bySu = await machine.expect(`su - ${user} -c 'id -G'`);
      const sorted = (text: string | null = ""): string[] => (text ?? "").trim().split(" ").sort();
      assert.deepEqual(sorted(answer.stdout), sorted(bySu), user);
      const facts = await execute(host, { command: 'echo "$(id -un) $HOME $SHELL $(pwd)"', runAsUser: user });
      const home = user === "root" ? "/root" : `/home/${user}`;
      assert.equal(facts.stdout, `${user} ${home} /bin/sh ${home}\n`);
    }
    const only = await execute(host, { command: "id", args: ["-G"], runAsUser: "many" });
    assert.equal(only.stdout, "1001\n");
    const byNumber = await execute(host, { command: "id", args: ["-un"], runAsUser: "1000" });
    assert.equal(byNumber.stdout, "alice\n");
    const service = await execute(host, { command: "echo $(id -un) $(pwd)", runAsUser: "service" });
    assert.equal(service.stdout, "service /\n");
    assert.match((await execute(host, { command: "true", runAsUser: "bob" })).error ?? "", /^QXGA-3005 /);
    assert.match((await execute(host, { command: "true", runAsUser: "4711" })).error ?? "", /^QXGA-3005 /);
    const denied = await execute(host, { command: "cat /root/x; echo x >/root/x", runAsUser: "alice" });
    assert.match(denied.stderr ?? "", /Permission denied/);
    host.close();
  });

  it("finds the children that left the process group, and ends them at the deadline", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    const command =
      "setsid sleep 1234 & (setsid sh -c 'trap : TERM; sleep 1234; sleep 1234' &); sleep 1234 & echo begun; sleep 1234";
    const answer = await execute(host, { command, timeoutSeconds: 2 });
    assert.deepEqual([answer.timedOut, answer.stdout], [true, "begun\n"]);
    await until(
      "all of them to be gone",
      async () => (await machine.run("ps -o args | grep '[s]leep 1234'")).stdout.trim() === "",
    );
    await until(
      "their cgroup to be gone",
      async () => (await machine.run("ls /sys/fs/cgroup | grep limiquantix")).stdout.trim() === "",
    );
    host.close();
  });

  it("runs a thousand commands under hosts that are killed, and leaves nothing behind", async () => {
    await using first = await guestWithHost();
    const { machine, pid } = first;
    let { host } = first;
    await execute(host, { command: "true" });
    const descriptors = async (): Promise<number> =>
      Number(await machine.expect(`ls /proc/${pid}/fd | wc -l`));
    const before = await descriptors();
    let sent = 0;
    let answered = 0;
    for (let round = 0; sent < 1000; round++) {
      const batch = Array.from({ length: 25 }, (_, i) => ({
        messageId: `round ${round}, command ${i}`,
        execute: {
          command: `echo ${round}-${i}; sleep 0.0${i % 10}; [ $((${i} % 5)) = 0 ] && sleep 3 & true`,
          waitForExit: true,
        },
      }));
      for (const request of batch) host.send(request);
      sent += batch.length;
      if (round % 4 === 3) {
        // Killed with some of the answers on their way.
        await until("some answers", () => host.answersTo(`round ${round}, command 3`).length > 0, 30_000);
      } else {
        for (const { messageId } of batch) {
          const answer = await until(
            `the answer to ${messageId}`,
            () => host.answersTo(messageId)[0],
            60_000,
          );
          assert.equal(answer.executeResponse?.stdout, `${messageId.replace(/\D+/g, "-").slice(1)}\n`);
          answered++;
        }
        if (round % 4 !== 2) continue;
      }
      host.close();
      host = await RawHost.connect(machine.agentSocket);
    }
    assert.ok(answered >= 700, `${answered} answered`);
    assert.ok((await host.ask({ ping: { sequence: 1 } }, "plain", 60_000)).pong);
    await until(
      "every command to have ended",
      async () => (await machine.run("ps -o comm | grep -x sleep")).stdout.trim() === "",
      60_000,
    );
    await until(
      "no zombie",
      async () => (await machine.run("ps -o stat,comm | grep '^Z'")).stdout.trim() === "",
      60_000,
    );
    await until("no descriptor more than before", async () => (await descriptors()) <= before, 60_000);
    host.close();
  });

  it("holds a session in vim through a terminal", async () => {
    await using attached = await guestWithHost();
    const { machine, host } = attached;
    host.close();
    const ctl = [
      process.execPath,
      path.resolve("dist/bin/ctl.cjs"),
      "shell",
      "--socket",
      machine.agentSocket,
    ];
    await using terminal = await Terminal.open({
      columns: 90,
      rows: 30,
      script: `${ctl.join(" ")} -e TERMINFO=/node/terminfo -e 'PS1=guest> '; echo "ended with $?"; cat`,
      env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" },
    });
    await terminal.shows(/guest>/, startDeadlineMs);
    await terminal.type("stty size; /node/bin/vim.tiny /tmp/poem\r");
    await terminal.shows(/~\n~\n/, startDeadlineMs);
    await terminal.type("irose is a rose\u001byypp");
    await terminal.shows(/(rose is a rose\n){3}/, startDeadlineMs);
    await terminal.type(":wq\r");
    await terminal.shows(/guest>\s*$/, startDeadlineMs);
    assert.equal(await machine.expect("cat /tmp/poem"), "rose is a rose\n".repeat(3));
    await terminal.type("less /etc/group\r");
    await terminal.shows(/^extra10:/m, startDeadlineMs);
    await terminal.type("q");
    await terminal.type("top\r");
    await terminal.shows(/^Mem: .*\n(.*\n)*.*top$/m, startDeadlineMs);
    await terminal.type("q");
    await terminal.shows(/guest>\s*$/, startDeadlineMs);
    await terminal.type("exit 7\r");
    await terminal.shows(/ended with 7/, startDeadlineMs);
  });
});
