import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { FreezeGate } from "../../src/agent/quiesce/gate.ts";
import { HookFolders } from "../../src/agent/quiesce/hook-folders.ts";
import { type FreezeRequest, Quiesce, type ThawRequest } from "../../src/agent/quiesce/quiesce.ts";
import { RecordFile } from "../../src/agent/quiesce/record.ts";
import { recover } from "../../src/agent/quiesce/recovery.ts";
import { Refused } from "../../src/agent/quiesce/refused.ts";
import { trimAll } from "../../src/agent/quiesce/trim.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeFreezer, errno, mountinfo } from "../support/fake-freezer.ts";
import { until } from "../support/until.ts";

const log = { warn: () => undefined, error: () => undefined };
const none = new AbortController().signal;

let folder: string;
let freezer: FakeFreezer;
let record: RecordFile;
let held: string[];
let gate: FreezeGate;
let quiesce: Quiesce;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "quiesce-"));
  freezer = new FakeFreezer(mountinfo);
  freezer.answers.set("freeze /boot/efi", errno("ENOTSUP"));
  freezer.images.set("/mnt/image", ["/data"]);
  record = new RecordFile(path.join(folder, "run"));
  held = [];
  gate = new FreezeGate(() => {
    held.push("held");
    return () => held.push("released");
  });
  quiesce = newQuiesce();
});
afterEach(() => {
  mock.timers.reset();
  rmSync(folder, { recursive: true, force: true });
});

function newQuiesce(): Quiesce {
  const folders = { preFreezeFolder: path.join(folder, "pre"), postThawFolder: path.join(folder, "post") };
  const tools = { run: () => Promise.reject(new Error("there are no hooks")) };
  const hooks = new HookFolders({ tools, log, ...folders, restricted: () => false });
  return new Quiesce({ freezer, gate, hooks, record, log });
}

const freeze = (request: Partial<FreezeRequest> = {}, signal = none) =>
  quiesce.freeze({ mountPoints: [], timeoutSeconds: 0, runHooks: false, hookFolder: "", ...request }, signal);
const thaw = (request: Partial<ThawRequest> = {}) =>
  quiesce.thaw({ token: "", mountPoints: [], runHooks: false, hookFolder: "", ...request });
const callsOf = (what: string): string[] =>
  freezer.calls.filter((call) => call.startsWith(`${what} `)).map((call) => call.slice(what.length + 1));

async function refused(promise: Promise<unknown>, code: string, message: RegExp): Promise<CodedError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return error;
  }
  return assert.fail("it was not refused");
}

describe("what is frozen", () => {
  it("is each file system once: what stands on another first, the root last; thawed in reverse", async () => {
    const { lines, freeze: frozen } = await freeze();
    assert.deepEqual(callsOf("freeze"), ["/vol", "/mnt/image", "/data", "/boot/efi", "/"]);
    assert.deepEqual(callsOf("sync"), callsOf("freeze"));
    assert.deepEqual(
      lines.map((line) => [line.mount.mountPoint, line.frozen, line.error]),
      [
        ["/vol", true, ""],
        ["/mnt/image", true, ""],
        ["/data", true, ""],
        ["/boot/efi", false, "its kind cannot be frozen; it was written out"],
        ["/", true, ""],
        ["/hidden", false, "other mounts cover it"],
      ],
    );
    const { thawed } = await thaw({ token: frozen.token });
    assert.deepEqual(thawed, ["/", "/data", "/mnt/image", "/vol"]);
    assert.deepEqual(callsOf("thaw"), thawed);
    assert.deepEqual([freezer.frozen.size, freezer.openCount, freezer.guards], [0, 0, 0]);
  });

  it("is what the host names, by any of its mount points", async () => {
    await freeze({ mountPoints: ["/srv/pub/", "/data", "/home/my files"] });
    assert.deepEqual([...freezer.frozen].sort(), ["/data", "/vol"]);
    await thaw();
  });

  it("is not what is read-only, remote, or on no disk: that is told", async () => {
    const mountPoints = [
      "/data",
      "/mnt/media",
      "/mnt/nas",
      "/run",
      "/mnt/ssh",
      "/var/lib/docker/overlay2/x/merged",
    ];
    const { lines } = await freeze({ mountPoints });
    assert.deepEqual([...freezer.frozen], ["/data"]);
    assert.match(
      lines.map(({ error }) => error).join("; "),
      /read-only.*another machine.*no.* disk.*FUSE.*overlay/,
    );
    await thaw();
    await refused(
      freeze({ mountPoints: ["/mnt/media"] }),
      "mount",
      /nothing to freeze: \/mnt\/media: it is read-only/,
    );
  });

  it("is no place that is no mount point", async () => {
    await refused(
      freeze({ mountPoints: ["/etc"] }),
      "mount",
      /^\/etc is no mount point; it is on the file system at \/$/,
    );
    await refused(freeze({ mountPoints: ["/no/such"] }), "mount", /not there/);
    await refused(freeze({ mountPoints: ["data"] }), "mount", /absolute/);
    await refused(freeze({ mountPoints: ["/\0"] }), "mount", /absolute/);
    assert.deepEqual([freezer.openCount, existsSync(record.path)], [0, false]);
  });

  it("is not what its kind forbids, when the host has named it", async () => {
    const error = await refused(
      freeze({ mountPoints: ["/boot/efi", "/data"] }),
      "quiesce",
      /cannot freeze \/boot\/efi/,
    );
    assert.ok(error instanceof Refused);
    assert.deepEqual([freezer.frozen.size, freezer.openCount, freezer.guards], [0, 0, 0]);
  });
});

describe("all or nothing", () => {
  it("thaws the others when one fails, and says which and why", async () => {
    freezer.answers.set("freeze /data", errno("EBUSY"));
    const error = await refused(
      freeze(),
      "quiesce",
      /cannot freeze \/data: it is frozen already, by somebody else/,
    );
    assert.ok(error instanceof Refused);
    assert.deepEqual(
      error.lines.filter(({ mount }) => mount.mountPoint === "/vol").map((line) => [line.frozen, line.error]),
      [[false, "thawed again, as another could not be frozen"]],
    );
    assert.deepEqual([freezer.frozen.size, freezer.openCount, freezer.guards], [0, 0, 0]);
    assert.equal(gate.refusal("fileWrite"), undefined);
    assert.equal(existsSync(record.path), false);
    await freeze({ mountPoints: ["/"] });
    await thaw();
  });

  it("thaws all when the host is gone before it is done", async () => {
    const controller = new AbortController();
    freezer.answers.set("freeze /", () => {
      controller.abort(new Error("gone"));
    });
    await refused(freeze({}, controller.signal), "quiesce", /given up/);
    assert.deepEqual([freezer.frozen.size, freezer.openCount, freezer.guards], [0, 0, 0]);
  });

  it("gives up one that does not come to rest, and thaws it when it has", async () => {
    let rest = (): void => undefined;
    freezer.answers.set("freeze /data", new Promise<void>((resolve) => (rest = resolve)));
    mock.timers.enable({ apis: ["setTimeout"] });
    const freezing = refused(freeze(), "quiesce", /\/data: it did not come to rest within 30 s/);
    for (let turn = 0; !freezer.calls.includes("freeze /data") && turn < 1000; turn++)
      await new Promise(setImmediate);
    mock.timers.tick(30_001);
    await freezing;
    assert.equal(freezer.guards, 1); // for as long as it may still be frozen
    rest();
    mock.timers.reset();
    await until("it to be thawed", () => freezer.guards === 0);
    assert.deepEqual([freezer.frozen.size, freezer.openCount], [0, 0]);
  });

  it("freezes nothing that cannot be written out", async () => {
    freezer.answers.set("sync /data", errno("EIO"));
    await refused(freeze(), "quiesce", /cannot write out \/data: EIO/);
    assert.deepEqual([callsOf("freeze").length, freezer.openCount], [0, 0]);
  });
});

describe("while something is frozen", () => {
  it("no request that could hang is run, and log lines wait", async () => {
    await freeze({ mountPoints: ["/data", "/"] });
    assert.match(
      gate.refusal("fileWrite")?.wireText ?? "",
      /^QXGA-5007 \/ and \/data are frozen since 20.*; thaw first$/,
    );
    for (const name of ["execute", "execStart", "shutdown", "filePut", "trim", "resetPassword"] as const)
      assert.ok(gate.refusal(name), name);
    for (const name of ["ping", "thaw", "quiesceStatus", "cancel"] as const)
      assert.equal(gate.refusal(name), undefined);
    assert.deepEqual(held, ["held"]);
    await thaw();
    assert.deepEqual(held, ["held", "released"]);
    assert.equal(gate.refusal("fileWrite"), undefined);
  });

  it("what waits for that to be over waits for the last thaw", async () => {
    let over = false;
    await gate.opened();
    await freeze();
    const waiting = gate.opened().then(() => (over = true));
    await thaw({ mountPoints: ["/data"] });
    assert.equal(over, false);
    await thaw();
    await waiting;
  });

  it("a second freeze is refused, with since when", async () => {
    await freeze({ mountPoints: ["/data"] });
    await refused(freeze(), "alreadyQuiesced", /^\/data is frozen since .*; thaw first, or wait until /);
    await thaw();
    await refused(thaw(), "notQuiesced", /^nothing is frozen$/);
  });

  it("another's token thaws nothing, and none thaws all", async () => {
    const { freeze: frozen } = await freeze({ mountPoints: ["/data"] });
    await refused(
      thaw({ token: "other" }),
      "notQuiesced",
      /token is not that of this freeze: \/data is frozen since/,
    );
    assert.equal(freezer.frozen.size, 1);
    await thaw({ token: frozen.token });
  });

  it("some can be thawed before the others", async () => {
    await freeze({ mountPoints: ["/data", "/"] });
    await refused(thaw({ mountPoints: ["/vol"] }), "mount", /\/vol is not frozen/);
    assert.deepEqual((await thaw({ mountPoints: ["/srv/pub"] })).thawed, ["/data"]);
    assert.deepEqual(quiesce.status.freeze?.mountPoints, ["/"]);
    assert.ok(gate.refusal("fileWrite"));
    assert.deepEqual((await thaw()).thawed, ["/"]);
    assert.deepEqual([freezer.openCount, freezer.guards, quiesce.status.freeze], [0, 0, undefined]);
  });

  it("what somebody else has thawed is told", async () => {
    await freeze({ mountPoints: ["/data", "/"] });
    freezer.frozen.delete("/data");
    const error = await refused(thaw(), "notQuiesced", /somebody else had thawed \/data before/);
    assert.ok(error instanceof Refused);
    assert.deepEqual(error.thawed, ["/"]);
    assert.deepEqual([quiesce.status.freeze, quiesce.status.last?.cutShort], [undefined, true]);
  });

  it("what cannot be thawed stays frozen, and can be tried again", async () => {
    await freeze({ mountPoints: ["/data", "/"] });
    freezer.answers.set("thaw /data", errno("EIO"));
    await refused(thaw(), "thaw", /cannot thaw \/data: EIO/);
    assert.deepEqual(quiesce.status.freeze?.mountPoints, ["/data"]);
    freezer.answers.delete("thaw /data");
    await thaw();
    assert.equal(freezer.guards, 0);
  });

  it("all thaws by itself in time, and the host is told when it comes", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const { freeze: frozen } = await freeze({ timeoutSeconds: 5 });
    mock.timers.tick(5_000);
    for (let turn = 0; quiesce.status.last === undefined && turn < 1000; turn++)
      await new Promise(setImmediate);
    mock.timers.reset();
    await until("the freeze to be over", () =>
      quiesce.thaw({ token: "", mountPoints: [], runHooks: false, hookFolder: "" }).then(
        () => false,
        (error: unknown) => !/under way/.test(String(error)),
      ),
    );
    assert.deepEqual(
      [freezer.frozen.size, quiesce.status.last?.why, quiesce.status.last?.cutShort],
      [0, "timeout", true],
    );
    await refused(thaw({ token: frozen.token }), "notQuiesced", /not consistent/);
  });

  it("the time has a default and a limit", async () => {
    const seconds = async (timeoutSeconds: number): Promise<number> => {
      const { freeze: frozen } = await freeze({ mountPoints: ["/data"], timeoutSeconds });
      await thaw();
      return Math.round((frozen.autoThawAt.getTime() - Date.now()) / 1000);
    };
    assert.deepEqual([await seconds(0), await seconds(7), await seconds(4e9)], [60, 7, 600]);
  });

  it("an agent that stops thaws", async () => {
    await freeze();
    await quiesce.close();
    assert.deepEqual([freezer.frozen.size, freezer.openCount, freezer.guards], [0, 0, 0]);
  });
});

describe("the record of a freeze", () => {
  it("is there before the first is frozen, and gone with the freeze", async () => {
    let there = false;
    freezer.answers.set("freeze /vol", () => (there = existsSync(record.path)));
    await freeze();
    assert.ok(there);
    await thaw();
    assert.equal(existsSync(record.path), false);
  });

  it("is not taken for that of an agent that is gone while its own runs", async () => {
    await freeze();
    assert.equal(await recover(record, freezer), undefined);
    await thaw();
  });

  it("has the next agent thaw what is left, whoever thawed some of it", async () => {
    await freeze({ mountPoints: ["/data", "/vol", "/"] });
    const text = readFileSync(record.path, "utf8");
    writeFileSync(record.path, text.replace(/"startedAt":"\d+"/, '"startedAt":"1"'));
    freezer.frozen.delete("/vol");
    const recovery = await recover(record, freezer);
    assert.deepEqual([recovery?.thawed, recovery?.problems], [["/", "/data"], []]);
    assert.deepEqual([freezer.frozen.size, existsSync(record.path)], [0, false]);
    const next = newQuiesce();
    if (recovery) await next.recovered(recovery);
    assert.deepEqual([next.status.last?.why, next.status.last?.cutShort], ["restart", true]);
  });

  it("that is garbage, or of an earlier boot, does no harm", async () => {
    mkdirSync(path.dirname(record.path), { recursive: true });
    for (const garbage of ["", "{", "[]", '{"bootId":1}']) {
      writeFileSync(record.path, garbage);
      assert.match((await recover(record, freezer))?.problems.join() ?? "", /cannot be read/);
      assert.equal(existsSync(record.path), false);
    }
    const earlier = { bootId: "earlier", pid: 1, startedAt: "1", since: "", hooks: false, fileSystems: [] };
    writeFileSync(record.path, JSON.stringify(earlier));
    assert.equal(await recover(record, freezer), undefined);
  });
});

describe("trimming", () => {
  it("leaves out what has none, unless it is named", async () => {
    freezer.answers.set("trim /vol", errno("ENOTSUP"));
    freezer.answers.set("trim /data", errno("EIO"));
    const all = await trimAll(freezer, { mountPoints: [], minimumBytes: 10 }, none);
    assert.deepEqual(
      all.map(({ mountPoint, bytes, error }) => [mountPoint, bytes, error?.message]),
      [
        ["/mnt/image", 4106, undefined],
        ["/data", 0, "cannot trim /data: EIO: as the test has it"],
        ["/boot/efi", 4106, undefined],
        ["/", 4106, undefined],
      ],
    );
    const [named] = await trimAll(freezer, { mountPoints: ["/vol"], minimumBytes: 0 }, none);
    assert.match(
      named?.error?.wireText ?? "",
      /^QXGA-5010 cannot trim \/vol: the disk, or the file system, has no trimming$/,
    );
    assert.equal(freezer.openCount, 0);
  });

  it("is given up with its request", async () => {
    const controller = new AbortController();
    freezer.answers.set("trim /data", new Promise(() => undefined));
    const trimming = trimAll(freezer, { mountPoints: ["/data"], minimumBytes: 0 }, controller.signal);
    controller.abort(new CodedError("cancelled", "cancelled"));
    await refused(trimming, "cancelled", /cancelled/);
    assert.equal(freezer.openCount, 0);
  });
});
