import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { HostError, connect } from "../../src/host/index.ts";
import type { AgentMessage, Envelope } from "../../src/wire/envelope.ts";
import { type CtlResult, ctl, finished, startCtl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import { FakeAgent, type FakeAgentOptions } from "../support/fake-agent.ts";
import { until } from "../support/until.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ctl-freeze-"));
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A guest whose freezes are told of, and nothing else. */
class FakeFreezes implements FakeAgentOptions {
  readonly asked: string[] = [];
  frozen = false;
  /** What the next thaw answers instead, or "none". */
  readonly thaws: (Envelope | "none")[] = [];
  readonly guest = {
    features: ["quiesce_status", "trim", "cancel"],
    receive: () => false,
    leave: () => undefined,
  };
  refuse = "";

  answer = (request: AgentMessage): Envelope | "none" | undefined => {
    if (request.quiesce) {
      const { mountPoints, timeoutSeconds, runPreFreezeScripts } = request.quiesce;
      this.asked.push(
        `quiesce ${(mountPoints ?? []).join()} ${timeoutSeconds ?? 0} ${String(runPreFreezeScripts)}`,
      );
      const root = { mountPoint: "/", filesystem: "ext4", device: "/dev/vda1" };
      if (this.refuse) {
        const frozen = [{ ...root, frozen: false, error: "the disk\nreports an error" }];
        return { quiesceResponse: { error: this.refuse, frozen } };
      }
      this.frozen = true;
      return {
        quiesceResponse: {
          success: true,
          quiesceToken: "token-1",
          autoThawAt: { seconds: 1_800_000_000, nanos: 0 },
          frozen: [{ ...root, frozen: true }],
        },
      };
    }
    if (request.thaw) {
      this.asked.push(`thaw ${request.thaw.quiesceToken ?? ""}`);
      const special = this.thaws.shift();
      if (special !== undefined) return special;
      this.frozen = false;
      return { thawResponse: { success: true, thawedMountPoints: ["/"], frozenDurationMs: 1500 } };
    }
    if (request.quiesceStatus) {
      return { quiesceStatusResponse: { success: true, isFrozen: this.frozen, lastThaw: "thaw" } };
    }
    if (request.trim) {
      return { trimResponse: { success: true, trimmed: [{ mountPoint: "/", trimmedBytes: 2048 }] } };
    }
    return undefined;
  };
}

async function withFreezes(
  body: (
    guest: FakeFreezes,
    run: (...words: string[]) => Promise<CtlResult>,
    agent: FakeAgent,
    socket: string,
  ) => Promise<void>,
): Promise<void> {
  const guest = new FakeFreezes();
  const socket = path.join(mkdtempSync(path.join(folder, "agent-")), "agent.sock");
  const agent = await FakeAgent.listen(socket, guest);
  try {
    await body(guest, (command, ...words) => ctl([command, "--socket", socket, ...words]), agent, socket);
  } finally {
    await agent.close();
  }
}

describe("with-freeze", () => {
  it("freezes, runs, thaws, and has the command's output and exit code", async () => {
    await withFreezes(async (guest, run) => {
      const { code, stdout, stderr } = await run(
        ...["with-freeze", "-m", "/srv", "-m", "/home", "--timeout", "90s", "--no-hooks"],
        ...["--", "sh", "-c", 'echo out; echo "$LIMIQUANTIX_SOCKET" >&2; exit 3'],
      );
      assert.deepEqual([code, stdout], [3, "out\n"]);
      assert.match(stderr, /agent\.sock\n$/);
      assert.deepEqual(guest.asked, ["quiesce /srv,/home 90 false", "thaw token-1"]);
    });
  });

  it("thaws when the command is not there, dies of a signal, or takes options like ours", async () => {
    await withFreezes(async (guest, run) => {
      assert.equal((await run("with-freeze", "--", "/no/such/command")).code, 127);
      assert.equal((await run("with-freeze", "--", "sh", "-c", "kill -9 $$")).code, 137);
      assert.equal(
        (await run("with-freeze", "--", "echo", "--timeout", "--json")).stdout,
        "--timeout --json\n",
      );
      assert.equal(guest.asked.filter((each) => each === "thaw token-1").length, 3);
    });
  });

  it("tells programs what came of it, apart from the command's output", async () => {
    await withFreezes(async (_, run) => {
      const { code, stdout, stderr } = await run("with-freeze", "--json", "--", "echo", "out");
      assert.deepEqual(one(stdout), { exitCode: 0, consistent: true, frozenMs: 1500 });
      assert.deepEqual([code, stderr], [0, "out\n"]);
    });
  });

  it("runs nothing when nothing could be frozen, and says why", async () => {
    await withFreezes(async (guest, run) => {
      guest.refuse = "QXGA-5005 cannot freeze /";
      const marker = path.join(folder, "never");
      const result = await run("with-freeze", "--", "touch", marker);
      failed(result, {
        code: 1,
        message: /^limiquantix-ctl: \/: the disk.*reports an error\n.*QXGA-5005 cannot freeze \/\n$/,
      });
      assert.equal(existsSync(marker), false);
      assert.equal(guest.asked.length, 1);
    });
  });

  it("passes signals on, and thaws when the command has ended", async () => {
    await withFreezes(async (guest, _, _agent, socket) => {
      const at = path.join(folder, "signalled");
      const script = `trap 'echo caught; exit 9' TERM; : >${at}; while :; do sleep 0.05; done`;
      const child = await startCtl(["with-freeze", "--socket", socket, "--", "sh", "-c", script]);
      const end = finished(child);
      await until("the command to begin", () => existsSync(at));
      child.kill("SIGTERM");
      const { code, stdout } = await end;
      assert.deepEqual([code, stdout], [9, "caught\n"]);
      assert.deepEqual(guest.asked.at(-1), "thaw token-1");
    });
  });

  it("thaws on a new connection when the old one is lost", async () => {
    await withFreezes(async (guest, _, agent, socket) => {
      const at = path.join(folder, "lost");
      const script = `: >${at}; while [ ! -e ${at}.go ]; do sleep 0.05; done`;
      const end = finished(await startCtl(["with-freeze", "--socket", socket, "--", "sh", "-c", script]));
      await until("the command to begin", () => existsSync(at));
      agent.dropClients();
      writeFileSync(`${at}.go`, "");
      const { code, stderr } = await end;
      assert.deepEqual([code, stderr], [0, ""]);
      assert.deepEqual(guest.asked.at(-1), "thaw token-1");
    });
  });

  it("has an exit code of its own for a guest that thawed too early", async () => {
    await withFreezes(async (guest, run) => {
      const early = { thawResponse: { error: "QXGA-5008 nothing is frozen any more" } };
      guest.thaws.push(early);
      const result = await run("with-freeze", "--", "true");
      assert.equal(result.code, 8);
      assert.match(result.stderr, /thawed before the command had ended.*not consistent\n  QXGA-5008/);
      guest.thaws.push(early);
      assert.equal((await run("with-freeze", "--", "false")).code, 1);
    });
  });

  it("wants a command, and a time that the guest allows", async () => {
    await withFreezes(async (guest, run) => {
      failed(await run("with-freeze"), { code: 2, message: /which command/ });
      failed(await run("with-freeze", "--timeout", "11m", "--", "true"), { code: 2, message: /10m at most/ });
      failed(await run("freeze", "-m", "srv"), { code: 2, message: /absolute path/ });
      assert.deepEqual(guest.asked, []);
    });
  });
});

describe("freeze, thaw, freeze-status and trim", () => {
  it("show what there is", async () => {
    await withFreezes(async (guest, run) => {
      assert.match(
        succeeded(await run("freeze")),
        /^MOUNT  TYPE  DEVICE     STATE\n\/      ext4  \/dev\/vda1  frozen\ntoken: token-1\nthaws by itself at 2027-01-15 \d\d:00:00\n$/,
      );
      assert.equal(one(succeeded(await run("freeze", "--json")))["token"], "token-1");
      assert.equal(one(succeeded(await run("freeze-status", "--json")))["isFrozen"], true);
      assert.equal(succeeded(await run("thaw", "--force")), "thawed: / (frozen for 1 s)\n");
      assert.equal(guest.asked.at(-1), "thaw ");
      assert.equal(
        succeeded(await run("freeze-status")),
        "nothing is frozen; the last freeze was thawed by its host\n",
      );
      assert.equal(succeeded(await run("trim")), "MOUNT  TRIMMED\n/      2.0 KiB\n");
    });
  });

  it("thaw wants a token, or to be forced", async () => {
    await withFreezes(async (guest, run) => {
      for (const words of [[], ["--token", "x", "--force"], ["--token", ""]])
        failed(await run("thaw", ...words), { code: 2, message: /--token/ });
      assert.deepEqual(guest.asked, []);
    });
  });

  it("thaw says which hook failed", async () => {
    await withFreezes(async (guest, run) => {
      const hook = {
        script: "/etc/x/10-db",
        exitCode: 1,
        error: "QXGA-5011 10-db failed (exit code 1)",
        output: "why\n",
      };
      guest.thaws.push({
        thawResponse: { success: true, error: "QXGA-5011 all is thawed, but", hooks: [hook] },
      });
      const { code, stderr } = await run("thaw", "--force");
      assert.deepEqual(
        [code, stderr],
        [1, "limiquantix-ctl: QXGA-5011 10-db failed (exit code 1)\nlimiquantix-ctl: why\n"],
      );
    });
  });
});

describe("client.fileSystems", () => {
  it("takes a thaw whose answer was lost for one", async () => {
    await withFreezes(async (guest, _, agent, socket) => {
      await using client = await connect({ socket });
      guest.thaws.push("none", { thawResponse: { error: "QXGA-5008 nothing is frozen" } });
      const frozen = client.fileSystems.whileFrozen({}, () => Promise.resolve("made"));
      await until("the first thaw", () => guest.asked.includes("thaw token-1"));
      guest.frozen = false;
      agent.dropClients();
      assert.equal((await frozen).value, "made");
    });
  });

  it("thaws when the work fails, and says both when thawing fails too", async () => {
    await withFreezes(async (guest, _, _agent, socket) => {
      await using client = await connect({ socket });
      const work = (): Promise<never> => Promise.reject(new Error("no room"));
      await assert.rejects(client.fileSystems.whileFrozen({}, work), /^Error: no room$/);
      assert.equal(guest.frozen, false);
      guest.thaws.push({ thawResponse: { error: "QXGA-5006 cannot thaw /" } });
      await assert.rejects(client.fileSystems.whileFrozen({}, work), (error: unknown) => {
        assert.ok(error instanceof AggregateError);
        assert.match(error.message, /no room; and thawing failed: .*QXGA-5006/);
        return true;
      });
    });
  });

  it("is not supported by agents that are older", async () => {
    const socket = path.join(mkdtempSync(path.join(folder, "old-")), "agent.sock");
    const agent = await FakeAgent.listen(socket, { sessions: false });
    try {
      await using client = await connect({ socket });
      for (const call of [() => client.fileSystems.status(), () => client.fileSystems.trim()])
        await assert.rejects(
          call,
          (error: unknown) => error instanceof HostError && error.code === "not-supported",
        );
    } finally {
      await agent.close();
    }
  });
});
