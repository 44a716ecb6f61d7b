import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import { Audit } from "../../src/agent/audit/audit.ts";
import { Commands } from "../../src/agent/commands/commands.ts";
import { defaultConfig } from "../../src/agent/config/load.ts";
import { Policy } from "../../src/agent/policy/policy.ts";
import { FreezeGate } from "../../src/agent/quiesce/gate.ts";
import { HookFolders } from "../../src/agent/quiesce/hook-folders.ts";
import { hooksIn, runHooks } from "../../src/agent/quiesce/hooks.ts";
import { Quiesce } from "../../src/agent/quiesce/quiesce.ts";
import { RecordFile } from "../../src/agent/quiesce/record.ts";
import { Refused } from "../../src/agent/quiesce/refused.ts";
import { Tools } from "../../src/agent/tools/tools.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeFreezer, mountinfo } from "../support/fake-freezer.ts";

const commands = new Commands(new Policy(defaultConfig().security), new Audit(undefined));
const tools = new Tools(commands);
after(() => commands.close());
const none = new AbortController().signal;
const log = { warn: () => undefined, error: () => undefined };

let folder: string;
let diary: string;
let freezer: FakeFreezer;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "hooks-"));
  diary = path.join(folder, "diary");
  for (const name of ["pre", "post"]) mkdirSync(path.join(folder, name));
  freezer = new FakeFreezer(mountinfo);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A hook that writes down that it ran, and then does `more`. */
function hook(place: string, more = "", mode = 0o755): string {
  const file = path.join(folder, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "${place} $1 $LIMIQUANTIX_EVENT" >>${diary}\n${more}\n`);
  chmodSync(file, mode);
  return file;
}

function written(): string[] {
  return existsSync(diary) ? readFileSync(diary, "utf8").trim().split("\n") : [];
}

function quiesceWith({ restricted = false } = {}): Quiesce {
  const folders = { preFreezeFolder: path.join(folder, "pre"), postThawFolder: path.join(folder, "post") };
  return new Quiesce({
    freezer,
    gate: new FreezeGate(() => () => undefined),
    hooks: new HookFolders({ tools, log, ...folders, restricted: () => restricted }),
    record: new RecordFile(path.join(folder, "run")),
    log,
  });
}

const freezing = { mountPoints: ["/data", "/"], timeoutSeconds: 0, runHooks: true, hookFolder: "" };
const thawing = { token: "", mountPoints: [], runHooks: true, hookFolder: "" };

async function refusal(promise: Promise<unknown>): Promise<CodedError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  return assert.fail("it was not refused");
}

describe("hooks", () => {
  it("run in the order of their names, before freezing and after thawing", async () => {
    hook("pre/20-second", `echo "$LIMIQUANTIX_MOUNT_POINTS"; echo oops >&2`);
    hook("pre/10-first");
    hook("post/10-first");
    const quiesce = quiesceWith();
    freezer.answers.set("freeze /data", () => {
      assert.equal(written().length, 2);
    });
    const { hooks } = await quiesce.freeze(freezing, none);
    assert.deepEqual(
      hooks.map(({ hook: { name }, exitCode, output, error }) => [name, exitCode, output, error]),
      [
        ["10-first", 0, "", ""],
        ["20-second", 0, "/data\n/\noops\n", ""],
      ],
    );
    await quiesce.thaw(thawing);
    assert.deepEqual(written(), [
      "pre/10-first freeze pre-freeze",
      "pre/20-second freeze pre-freeze",
      "post/10-first thaw post-thaw",
    ]);
  });

  it("do not run when the host does not ask for them", async () => {
    hook("pre/10-first");
    hook("post/10-first");
    const quiesce = quiesceWith();
    await quiesce.freeze({ ...freezing, runHooks: false }, none);
    await quiesce.thaw({ ...thawing, runHooks: false });
    assert.deepEqual(written(), []);
  });

  it("that fail leave nothing frozen, and those that have run are taken back", async () => {
    hook("pre/10-first");
    hook("pre/20-fails", "echo why; exit 3");
    hook("pre/30-never");
    for (const name of ["10-first", "20-fails", "30-never", "90-all"]) hook(`post/${name}`);
    const error = await refusal(quiesceWith().freeze(freezing, none));
    assert.match(
      error.wireText,
      /^QXGA-5011 nothing was frozen: .*\/pre\/20-fails failed \(exit code 3\): why$/,
    );
    assert.ok(error instanceof Refused);
    assert.equal(error.hooks.length, 5);
    assert.deepEqual(
      written().map((line) => line.split(" ")[0]),
      ["pre/10-first", "pre/20-fails", "post/10-first", "post/20-fails", "post/90-all"],
    );
    assert.deepEqual([freezer.calls, freezer.openCount], [[], 0]);
  });

  it("that fail after thawing are told, and all is thawed", async () => {
    hook("post/10-fails", "exit 1");
    const quiesce = quiesceWith();
    await quiesce.freeze(freezing, none);
    const { thawed, problem } = await quiesce.thaw(thawing);
    assert.deepEqual(thawed, ["/", "/data"]);
    assert.match(problem?.wireText ?? "", /^QXGA-5011 all is thawed, but .*10-fails failed \(exit code 1\)$/);
  });

  it("are taken back when freezing fails", async () => {
    hook("pre/10-first");
    hook("post/10-first");
    freezer.answers.set("freeze /", Object.assign(new Error("EIO"), { code: "EIO" }));
    await refusal(quiesceWith().freeze(freezing, none));
    assert.equal(written().length, 2);
  });

  it("have a time limit, and their output has one too", async () => {
    const slow = hook("pre/10-slow", "sleep 60");
    const loud = hook("pre/20-loud", "yes x | head -c 100000");
    const run = {
      event: "pre-freeze",
      mountPoints: [],
      stopAtFailure: false,
      signal: AbortSignal.timeout(300),
    } as const;
    const [ended] = await runHooks(tools, [{ name: "slow", path: slow }], run);
    assert.match(ended?.error ?? "", /^QXGA-5011 .*could not be run/);
    const [result] = await runHooks(tools, [{ name: "loud", path: loud }], { ...run, signal: none });
    assert.deepEqual([result?.output.length, result?.truncated, result?.exitCode], [4096, true, 0]);
  });

  it("are not what editors and package managers leave, nor what cannot be executed", async () => {
    for (const name of ["10-x", "10-x~", ".10-x.swp", "10-x.dpkg-old", "10-x.rpmsave"]) hook(`pre/${name}`);
    hook("pre/README", "", 0o644);
    mkdirSync(path.join(folder, "pre/folder"));
    const found = await hooksIn(path.join(folder, "pre"), { mustExist: true });
    assert.deepEqual(
      found.map(({ name }) => name),
      ["10-x"],
    );
  });

  it("may be missing, unless the host has named their folder", async () => {
    const missing = path.join(folder, "missing");
    assert.deepEqual(await hooksIn(missing, { mustExist: false }), []);
    const quiesce = quiesceWith();
    const error = await refusal(quiesce.freeze({ ...freezing, hookFolder: missing }, none));
    assert.match(error.wireText, /^QXGA-5011 cannot use the hooks in .*missing: ENOENT/);
  });

  it(
    "that others than root could change are refused before any is run",
    { skip: process.getuid?.() !== 0 },
    async () => {
      hook("pre/10-first");
      const cases: (() => void)[] = [
        () => {
          chmodSync(path.join(folder, "pre/10-first"), 0o757);
        },
        () => {
          chownSync(path.join(folder, "pre/10-first"), 1000, 0);
        },
        () => {
          chmodSync(path.join(folder, "pre"), 0o775);
        },
        () => {
          chownSync(path.join(folder, "pre"), 1000, 1000);
        },
        () => {
          chmodSync(folder, 0o777);
        },
        () => {
          const file = path.join(folder, "elsewhere");
          writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
          chownSync(file, 1000, 1000);
          symlinkSync(file, path.join(folder, "pre/link"));
        },
        () => {
          chmodSync(path.join(folder, "post"), 0o777);
        },
      ];
      for (const spoil of cases) {
        rmSync(folder, { recursive: true });
        for (const name of ["pre", "post"]) mkdirSync(path.join(folder, name), { recursive: true });
        hook("pre/10-first");
        spoil();
        const error = await refusal(quiesceWith().freeze(freezing, none));
        assert.match(
          error.wireText,
          /^QXGA-5011 cannot use the hooks in .*(not to root|others than root)/,
          String(spoil),
        );
        assert.deepEqual([written(), freezer.openCount], [[], 0]);
      }
    },
  );

  it("come from the configured folder where the guest has a list of commands", async () => {
    hook("other/10-x");
    hook("pre/below/10-x");
    symlinkSync(path.join(folder, "other"), path.join(folder, "pre/link"));
    const quiesce = quiesceWith({ restricted: true });
    for (const place of ["other", "pre/../other", "pre/link"]) {
      const error = await refusal(quiesce.freeze({ ...freezing, hookFolder: `${folder}/${place}` }, none));
      assert.match(error.wireText, /^QXGA-5011 hooks may come from .*pre only/);
    }
    await refusal(quiesce.freeze({ ...freezing, hookFolder: "pre" }, none));
    await quiesce.freeze({ ...freezing, hookFolder: path.join(folder, "pre/below") }, none);
    // What thaws is never in the way of thawing.
    const { problem } = await quiesce.thaw({ ...thawing, hookFolder: path.join(folder, "other") });
    assert.match(problem?.wireText ?? "", /^QXGA-5011 hooks may come from/);
    assert.equal(freezer.frozen.size, 0);
  });
});
