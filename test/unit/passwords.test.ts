import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type PasswordRequest, Passwords } from "../../src/agent/users/passwords.ts";
import { lockHolder } from "../../src/agent/users/lock-holder.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeTools, type ToolRun, missing } from "../support/fake-tools.ts";

let etc = "";
before(() => {
  etc = mkdtempSync(path.join(tmpdir(), "etc-"));
  writeFileSync(
    path.join(etc, "passwd"),
    "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/:/bin/sh",
  );
  writeFileSync(
    path.join(etc, "shadow"),
    "root:*:1:0:::::\nalice:$6$old$hash:20000:0:99999:7:::\nbob:!:0:0:::::\n",
  );
});
after(() => {
  rmSync(etc, { recursive: true });
});

const hash = `$6$salt$${"a".repeat(86)}`;
const never = new AbortController().signal;

function set(tools: FakeTools, request: Partial<PasswordRequest> = {}, signal = never): Promise<void> {
  const usual = { user: "alice", secret: "new secret", hashed: false, expire: false };
  return new Passwords(tools, etc).set({ ...usual, ...request }, signal);
}

async function refusal(promise: Promise<void>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof CodedError, String(error));
  return error.wireText;
}

describe("a password", () => {
  it("goes to chpasswd as one line of its standard input, and nowhere else", async () => {
    const tools = new FakeTools();
    await set(tools, { secret: "p:a$s 'w\"ö\\rd\t" });
    const [run] = tools.of("chpasswd");
    assert.deepEqual(run, { program: "chpasswd", args: [], input: "alice:p:a$s 'w\"ö\\rd\t\n" });
    assert.deepEqual(tools.of("chage"), []);
    await set(tools, { secret: hash, hashed: true });
    assert.deepEqual(tools.of("chpasswd")[1], {
      program: "chpasswd",
      args: ["-e"],
      input: `alice:${hash}\n`,
    });
  });

  it("is not cut off by busybox, whose own choice may be DES", async () => {
    const tools = new FakeTools(({ args }) => (args[0] === "--help" ? { stderr: "BusyBox v1.36" } : {}));
    await set(tools);
    assert.deepEqual(tools.of("chpasswd")[0]?.args, ["-c", "sha512"]);
    await set(tools, { secret: hash, hashed: true });
    assert.deepEqual(tools.of("chpasswd")[1]?.args, ["-e"]);
  });

  it("expires when it is asked to, behind the change", async () => {
    const tools = new FakeTools();
    await set(tools, { expire: true });
    const changes = tools.runs.filter(({ args }) => args[0] !== "--help");
    assert.deepEqual(
      changes.map(({ program, args }) => [program, ...args]),
      [["chpasswd"], ["chage", "-d", "0", "--", "alice"]],
    );
  });

  it("can be logged in with, also when the earlier one had to be changed", async () => {
    const tools = new FakeTools();
    await set(tools, { user: "bob" });
    const today = String(Math.floor(Date.now() / 86_400_000));
    assert.deepEqual(tools.of("chage")[0]?.args, ["-d", today, "--", "bob"]);
    // busybox has no chage, and sets the day itself.
    const without = new FakeTools(({ program }) => (program === "chage" ? missing("chage") : {}));
    await set(without, { user: "bob" });
    assert.equal(without.of("chpasswd").length, 1);
  });

  it("is not changed when it could not expire", async () => {
    const without = new FakeTools(({ program }) => (program === "chage" ? missing("chage") : {}));
    assert.match(
      await refusal(set(without, { expire: true })),
      /^QXGA-5003 .*no chage; nothing was changed$/,
    );
    assert.deepEqual(without.of("chpasswd"), []);
  });

  it("is the earlier one again when the new one cannot be made to expire", async () => {
    const tools = new FakeTools(({ program, args }) =>
      program === "chage" && args[0] === "-d" ? { exitCode: 1, stderr: "chage: no room" } : {},
    );
    const text = await refusal(set(tools, { expire: true }));
    assert.match(text, /^QXGA-5003 cannot set the password of alice: .*no room; the earlier password holds$/);
    assert.deepEqual(
      tools.of("chpasswd").map(({ args, input }) => [...args, input]),
      [["alice:new secret\n"], ["-e", "alice:$6$old$hash\n"]],
    );
    assert.doesNotMatch(text, /hash|new secret/);
  });

  it("waits its turn while another program has the user database locked", async () => {
    const said = [
      "chpasswd: cannot lock /etc/shadow; try again later.",
      "chpasswd: (user alice) pam_chauthtok() failed, error:\nAuthentication token lock busy",
      "chpasswd: can't create '/etc/shadow+': File exists",
    ];
    const tools = new FakeTools(({ args }) => {
      const stderr = args[0] === "--help" ? undefined : said.shift();
      return stderr === undefined ? {} : { exitCode: 1, stderr };
    });
    await set(tools);
    assert.equal(tools.of("chpasswd").length, 4);
    assert.equal(new Set(tools.of("chpasswd").map(({ input }) => input)).size, 1);
  });

  it("is given up while it waits, when its host goes", async () => {
    const gone = new AbortController();
    const tools = new FakeTools(({ args }) => {
      if (args[0] !== "--help") gone.abort(new Error("the host went away"));
      return { exitCode: args[0] === "--help" ? 0 : 1, stderr: "cannot lock /etc/passwd; try again later." };
    });
    await assert.rejects(set(tools, {}, gone.signal), /the host went away/);
    assert.equal(tools.of("chpasswd").length, 1);
  });

  it("is set in the order of the requests", async () => {
    const tools = new FakeTools(async ({ input }) => {
      if (input.includes("first")) await new Promise((resolve) => setImmediate(resolve));
      return {};
    });
    const passwords = new Passwords(tools, etc);
    const request = { user: "alice", hashed: false, expire: false };
    await Promise.all(
      ["first", "second", "third"].map((secret) => passwords.set({ ...request, secret }, never)),
    );
    assert.deepEqual(
      tools.of("chpasswd").map(({ input }) => input),
      ["alice:first\n", "alice:second\n", "alice:third\n"],
    );
  });

  it("is not in what is told of a failure", async () => {
    const tools = new FakeTools(({ input }) => ({ exitCode: 1, stderr: `BAD PASSWORD: ${input}` }));
    const text = await refusal(set(tools, { secret: "hunter2" }));
    assert.match(text, /^QXGA-5003 cannot set the password of alice: chpasswd failed \(exit code 1\)/);
    assert.doesNotMatch(text, /hunter2/);
    const silent = new FakeTools(({ args }) =>
      args[0] === "--help" ? {} : { exitCode: 1, stderr: "BAD PASSWORD: it is too short" },
    );
    assert.match(await refusal(set(silent, { secret: "hunter2" })), /it is too short/);
  });

  it("is refused where it would be another, or none", async () => {
    const tools = new FakeTools();
    const wrong: [Partial<PasswordRequest>, RegExp][] = [
      [{ secret: "" }, /empty/],
      [{ secret: "a\nroot:b" }, /line break/],
      [{ secret: "a\r" }, /line break/],
      [{ secret: "a\0" }, /NUL/],
      [{ secret: "a\ufffd" }, /UTF-8/],
      [{ secret: "a".repeat(512) }, /longer/],
      [{ secret: "ö".repeat(256) }, /longer/],
      [{ secret: "plain", hashed: true }, /no hash/],
      [{ secret: "", hashed: true }, /no hash/],
      [{ secret: "!", hashed: true }, /no hash/],
      [{ secret: `${hash}:0:0`, hashed: true }, /no hash/],
      [{ secret: `${hash}\n`, hashed: true }, /no hash/],
      [{ secret: "$1$salt$aaaaaaaaaaaaaaaaaaaaaa", hashed: true }, /no hash/],
    ];
    for (const [request, why] of wrong) {
      const text = await refusal(set(tools, request));
      assert.match(text, /^QXGA-5003 cannot set the password of alice: /);
      assert.match(text, why);
    }
    assert.deepEqual(tools.runs, []);
    await set(tools, { secret: "a".repeat(511) });
  });

  it("takes the hashes that crypt(5) has", async () => {
    const tools = new FakeTools();
    const good = [
      "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
      "$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
      `$6$rounds=10000$saltsalt$${"b".repeat(86)}`,
      `$5$saltsalt$${"b".repeat(43)}`,
      `$2b$12$${"c".repeat(53)}`,
    ];
    for (const secret of good) await set(tools, { secret, hashed: true });
    assert.equal(tools.of("chpasswd").length, good.length);
  });

  it("needs a user, who is one of this guest", async () => {
    const tools = new FakeTools();
    assert.equal(
      await refusal(set(tools, { user: "nobody-at-all" })),
      "QXGA-3005 there is no user nobody-at-all",
    );
    // Known to this machine, but not in that file: as one of a directory.
    assert.match(await refusal(set(tools, { user: "daemon" })), /^QXGA-5003 .*comes from a directory/);
    assert.deepEqual(tools.runs, []);
  });

  it("needs chpasswd", async () => {
    const tools = new FakeTools(({ program }) => missing(program));
    assert.match(await refusal(set(tools)), /^QXGA-5003 this guest has no chpasswd/);
  });

  it("reaches chpasswd as exactly one line of two fields, whatever is asked for", async () => {
    const tools = new FakeTools();
    const passwords = new Passwords(tools, etc);
    const text = fc.string({ unit: "binary", maxLength: 40 });
    const name = fc.oneof(
      text,
      fc.constantFrom("alice", "bob", "root", "alice:", "-R", "alice\nroot", "../alice"),
    );
    await fc.assert(
      fc.asyncProperty(name, text, fc.boolean(), fc.boolean(), async (user, secret, hashed, expire) => {
        tools.runs.length = 0;
        const error: unknown = await passwords.set({ user, secret, hashed, expire }, never).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        const runs = tools.runs.filter(({ args }) => args[0] !== "--help");
        if (error !== undefined) {
          assert.ok(error instanceof CodedError);
          assert.deepEqual(runs, []);
          return;
        }
        const [first, ...others] = runs as [ToolRun, ...ToolRun[]];
        assert.equal(first.input, `${user}:${secret}\n`);
        assert.deepEqual(first.input.split("\n").slice(1), [""]);
        assert.match(user, /^(alice|bob|root)$/);
        assert.ok(
          runs.every(({ args }) => !args.includes(secret) || secret === user || /^\d+$|^-/.test(secret)),
        );
        assert.deepEqual(
          new Set(others.map(({ args }) => args.at(-1))),
          new Set(others.length > 0 ? [user] : []),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe("who has the user database locked", () => {
  it("is told by the lock, or by the file that names a process", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "locks-"));
    try {
      const proc = path.join(folder, "proc");
      mkdirSync(path.join(proc, "42"), { recursive: true });
      writeFileSync(path.join(proc, "42/comm"), "vipw\n");
      assert.equal(await lockHolder(folder, proc), "");
      writeFileSync(path.join(folder, "shadow.lock"), "42\0");
      assert.equal(await lockHolder(folder, proc), " by vipw (process 42)");
      writeFileSync(path.join(folder, "shadow.lock"), "43\0");
      assert.equal(await lockHolder(folder, proc), "");
      rmSync(path.join(folder, "shadow.lock"));
      writeFileSync(path.join(folder, ".pwd.lock"), "");
      const { dev, ino } = statSync(path.join(folder, ".pwd.lock"));
      const device = [Math.floor(dev / 256) % 4096, dev % 256].map((part) =>
        part.toString(16).padStart(2, "0"),
      );
      const lines = [
        "1: FLOCK  ADVISORY  WRITE 1 00:01:2 0 EOF",
        `2: POSIX  ADVISORY  WRITE 42 ${device.join(":")}:${ino} 0 EOF`,
        `2: -> POSIX  ADVISORY  WRITE 44 ${device.join(":")}:${ino} 0 EOF`,
      ];
      writeFileSync(path.join(proc, "locks"), `${lines.join("\n")}\n`);
      assert.equal(await lockHolder(folder, proc), " by vipw (process 42)");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
