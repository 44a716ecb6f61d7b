import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { rmdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { addon } from "../../src/native/addon.ts";
import type { SpawnOptions } from "../../src/native/process.ts";
import { processes } from "../support/children.ts";
import { Command, outputOf } from "../support/command.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const nobody = { uid: 65534, gid: 65534, groups: [65534, 1, 2] };
/** Where a number of this process is not to be what a command gets. */
const signals = { hangup: 1, interrupt: 2, kill: 9, terminate: 15, windowChange: 28 } as const;

let folder = "";

/** A file in this test's folder, which other users may look into. */
function file(name: string, content: string, mode: number): string {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  chmodSync(place, mode);
  return place;
}

async function failure(options: Partial<SpawnOptions>) {
  const { ready } = addon.spawn(
    { files: ["/bin/true"], args: ["true"], environment: [], workingDirectory: "/", ...options },
    () => undefined,
  );
  const error = await ready.then(
    () => undefined,
    (reason: unknown) => reason as NodeJS.ErrnoException,
  );
  assert.ok(error !== undefined, "it started");
  return { code: error.code, errno: error.errno, syscall: error.syscall, path: error.path };
}

before(() => {
  assert.equal(process.getuid?.(), 0, "what switches users can be tested by root only");
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "spawn-")));
  chmodSync(folder, 0o755);
});
after(() => {
  rmSync(folder, { recursive: true });
});

for (const way of ["pidfd", "no pidfd"]) {
  const asKernel: Partial<SpawnOptions> = way === "pidfd" ? {} : { pidfd: false };

  describe(`command, ${way}`, () => {
    it("gets its arguments, environment and folder exactly", async () => {
      const odd = ["", " ", "a b", "*", "'\"\\", "ünï", "\n"];
      const script = `process.stdout.write(JSON.stringify([process.argv0, process.argv.slice(1), process.env, process.cwd()]))`;
      using command = await Command.start(process.execPath, [], {
        ...asKernel,
        args: ["argv zero", "-e", script, ...odd],
        environment: ["A=1", "B=x=y", "C=", "D=ü"],
        workingDirectory: folder,
      });
      assert.deepEqual(await command.exit(), { code: 0, signal: 0 });
      const [argv0, args, environment, cwd] = JSON.parse(command.output?.text ?? "") as unknown[];
      assert.equal(argv0, "argv zero");
      assert.deepEqual(args, odd);
      assert.deepEqual(environment, { A: "1", B: "x=y", C: "", D: "ü" });
      assert.equal(cwd, folder);
    });

    it("moves bytes through all three pipes, apart", async () => {
      const bytes = randomBytes(3_000_000);
      using command = await Command.shell("tee /dev/stderr", {
        ...asKernel,
        stdin: "pipe",
        stderr: "pipe",
      });
      assert.equal(command.input?.port.kind, "pipe");
      command.input.write(bytes);
      command.input.end();
      assert.deepEqual(await command.exit(), { code: 0, signal: 0 });
      assert.ok(command.output?.bytes.equals(bytes));
      assert.ok(command.errors?.bytes.equals(bytes));
    });

    it("tells exit codes and signals, once", async () => {
      for (const code of [0, 1, 127, 255]) {
        using command = await Command.shell(`exit ${code}`, asKernel);
        assert.deepEqual(await command.exit(), { code, signal: 0 });
        assert.equal(command.process.signal(0), false, "it has ended");
        assert.equal(command.exits, 1);
      }
      for (const signal of [signals.kill, signals.terminate]) {
        using command = await Command.start("/bin/sleep", ["1000"], asKernel);
        assert.equal(command.process.signal(signal), true);
        assert.deepEqual(await command.exit(), { code: 0, signal });
      }
    });

    it("ends the grandchildren with the group, also after the command itself", async () => {
      using command = await Command.shell("sleep 1000 & sleep 1000 & echo started", asKernel);
      const { pid } = command.process;
      await until("the command's end", () => command.exited);
      const left = () => processes().filter(({ group, state }) => group === pid && state !== "Z").length;
      assert.equal(left(), 2);
      assert.equal(command.process.signalGroup(signals.kill), true);
      await until("the group's end", () => left() === 0);
      command.process.close();
      assert.equal(command.process.signalGroup(signals.kill), false, "the pid is given back");
    });

    it("says what failed, and at which step", async () => {
      const plain = file("plain", "no script", 0o644);
      const noProgram = file("no-program", "no script", 0o755);
      const place = mkdtempSync(path.join(folder, "private-"));
      const cases: [Partial<SpawnOptions>, string, string, string | undefined][] = [
        [{ files: ["/nowhere/program"] }, "ENOENT", "execve", "/nowhere/program"],
        [{ files: [plain] }, "EACCES", "execve", plain],
        [{ files: [folder] }, "EACCES", "execve", folder],
        [{ files: ["/nowhere/a", plain, `${plain}/b`] }, "EACCES", "execve", plain],
        [{ files: [noProgram] }, "ENOEXEC", "execve", noProgram],
        [{ workingDirectory: "/nowhere" }, "ENOENT", "chdir", "/nowhere"],
        [{ workingDirectory: plain }, "ENOTDIR", "chdir", plain],
        [{ workingDirectory: place, identity: nobody }, "EACCES", "chdir", place],
        [{ args: ["x".repeat(200_000)] }, "E2BIG", "execve", "/bin/true"],
        [
          { identity: { ...nobody, groups: Array<number>(65_537).fill(1) } },
          "EINVAL",
          "setgroups",
          undefined,
        ],
      ];
      for (const [options, code, syscall, where] of cases) {
        const { errno, ...error } = await failure({ ...asKernel, ...options });
        assert.deepEqual(error, { code, syscall, path: where });
        assert.ok(errno !== undefined && errno < 0);
      }
    });

    it("has no descriptor but its own three, whatever this process has inherited", async () => {
      // Started by a shell that leaves it 7 and 300 open; both survive an exec.
      const code = `
        const { Command } = await import(${JSON.stringify(path.resolve("test/support/command.ts"))});
        const command = await Command.start("/bin/ls", ["/proc/self/fd"], ${JSON.stringify(asKernel)});
        await command.exit();
        console.log(JSON.stringify(command.output.text));`;
      const script = `exec 7</dev/null; exec "$0" --import tsx --input-type=module -e "$1"`;
      const { stdout } = await run("/bin/sh", ["-c", script, process.execPath, code], {
        env: { ...process.env, NODE_TEST_CONTEXT: "" },
      });
      // ls itself opens the folder as 3.
      assert.deepEqual((JSON.parse(stdout) as string).trim().split("\n"), ["0", "1", "2", "3"]);
    });

    it("starts a hundred at once", async () => {
      const commands = await Promise.all(
        Array.from({ length: 100 }, (_, i) => Command.shell(`echo ${i}; exit ${i}`, asKernel)),
      );
      for (const [i, command] of commands.entries()) {
        using ended = command;
        assert.deepEqual(await ended.exit(), { code: i, signal: 0 });
        assert.equal(ended.output?.text, `${i}\n`);
      }
    });
  });
}

describe("command's pipes", () => {
  it("tell the writer by an edge that nobody reads any more", async () => {
    using command = await Command.shell("exec <&-; sleep 1000", { stdin: "pipe" });
    const { input } = command;
    assert.ok(input !== undefined);
    await until("the edge", () => input.broken);
    assert.throws(() => input.port.write([Buffer.from("x")]), { code: "EPIPE", syscall: "write" });
  });

  it("take what there is room for and say when there is more", async () => {
    using command = await Command.shell("read line; wc -c", { stdin: "pipe", stdout: "pipe" });
    const { input } = command;
    assert.ok(input !== undefined);
    const filled = input.port.write([Buffer.alloc(1024 * 1024)]);
    assert.ok(filled > 0 && filled < 1024 * 1024);
    input.write(Buffer.from("\n12345"));
    input.end();
    await command.exit();
    assert.equal(command.output?.text.trim(), "5");
  });

  it("end when the last that holds them ends", async () => {
    // The shell gives what runs in the background /dev/null to read, unless it is told otherwise.
    using command = await Command.shell("exec 3<&0; { read line; echo late; } <&3 &", { stdin: "pipe" });
    await until("the command's end", () => command.exited);
    assert.equal(command.output?.ended, false);
    command.input?.write(Buffer.from("go\n"));
    await command.exit();
  });

  it("may be opened again by the user", async () => {
    const script = "echo out >/dev/stdout; echo err >/dev/stderr";
    using command = await Command.shell(script, { stderr: "pipe", identity: nobody });
    assert.deepEqual(await command.exit(), { code: 0, signal: 0 });
    assert.equal(command.output?.text, "out\n");
    assert.equal(command.errors?.text, "err\n");
  });
});

describe("command's surroundings", () => {
  it("runs as whom it was asked to, with just those groups", async () => {
    const ids = async (identity: NonNullable<SpawnOptions["identity"]>): Promise<string> =>
      await outputOf(
        "id -u; id -g; id -G; grep -h ^Groups /proc/self/status; grep -h ^CapEff /proc/self/status",
        {
          identity,
        },
      );
    const [uid, gid, all, groups, capabilities] = (await ids(nobody)).split("\n");
    assert.deepEqual([uid, gid, all], ["65534", "65534", "65534 1 2"]);
    assert.equal(groups?.trim().split(/\s+/).slice(1).join(" "), "1 2 65534");
    assert.match(capabilities ?? "", /\t0+$/);
    assert.match(await ids({ uid: 1, gid: 1, groups: [] }), /^1\n1\n1\nGroups:\s*\n/);
    // An id that no account has, the largest one there is.
    assert.match(await ids({ uid: 4294967294, gid: 4294967294, groups: [] }), /^4294967294\n4294967294\n/);
    assert.equal(await outputOf("id -u; id -g"), "0\n0");
  });

  it("takes no id for another", () => {
    const spawn = (identity: unknown) =>
      addon.spawn(
        {
          files: ["/bin/true"],
          args: ["true"],
          environment: [],
          workingDirectory: "/",
          identity,
        } as SpawnOptions,
        () => undefined,
      );
    // To the kernel 4294967295 means: as it is.
    for (const id of [-1, 4294967295, 4294967296, 0.5, NaN, "0", null, undefined]) {
      assert.throws(() => spawn({ uid: id, gid: 1, groups: [] }), TypeError);
      assert.throws(() => spawn({ uid: 1, gid: id, groups: [] }), TypeError);
      assert.throws(() => spawn({ uid: 1, gid: 1, groups: [1, id] }), TypeError);
    }
    for (const identity of [null, 0, {}, { uid: 1, gid: 1 }]) assert.throws(() => spawn(identity), TypeError);
  });

  it("says which other options are wrong", () => {
    const right = { files: ["/bin/true"], args: ["true"], environment: [], workingDirectory: "/" };
    const wrong: object[] = [
      { files: ["/bin/true\0x"] },
      { files: [1] },
      { files: [] },
      { files: "/bin/true" },
      { args: "true" },
      { args: ["a\0b"] },
      { environment: [1] },
      { workingDirectory: null },
      { pty: {} },
      { pty: { columns: 80, rows: 65536 } },
      { cgroups: [1] },
    ];
    for (const options of wrong) {
      assert.throws(() => addon.spawn({ ...right, ...options }, () => undefined), TypeError);
    }
    assert.throws(() => addon.spawn(right, undefined as unknown as () => void), TypeError);
  });

  it("has the limits of a login, not this process's", async () => {
    type Limits = Map<string, [soft: string, hard: string]>;
    const parse = (text: string): Limits =>
      new Map(
        [...text.matchAll(/^(Max .*?) {2,}(\S+) +(\S+)/gm)].map(([, name = "", soft = "", hard = ""]) => [
          name,
          [soft, hard],
        ]),
      );
    const own = parse(readFileSync("/proc/self/limits", "utf8"));
    const first = parse(readFileSync("/proc/1/limits", "utf8"));
    const command = parse(await outputOf("cat /proc/self/limits"));
    const mayRaise =
      (parseInt(/CapEff:\s*(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "", 16) / 2 ** 24) %
        2 >=
      1;
    const least = (a: string, b: string): string =>
      a === "unlimited" ? b : b === "unlimited" || Number(a) < Number(b) ? a : b;
    for (const [name, [, ownHard]] of own) {
      const expected = ((): [string, string] => {
        switch (name) {
          case "Max open files":
            return [least("1024", ownHard), ownHard];
          case "Max stack size":
            return [least("8388608", ownHard), ownHard];
          case "Max core file size":
            return ["0", ownHard];
          case "Max nice priority":
          case "Max realtime priority":
            return ["0", "0"];
          case "Max processes":
          case "Max pending signals":
          case "Max locked memory":
          case "Max msgqueue size": {
            const [soft, hard] = first.get(name) ?? ["", ""];
            return mayRaise ? [soft, hard] : [least(soft, ownHard), least(hard, ownHard)];
          }
          default:
            return mayRaise ? ["unlimited", "unlimited"] : [ownHard, ownHard];
        }
      })();
      assert.deepEqual(command.get(name), expected, name);
    }
  });

  it("has nothing else of this process's", async () => {
    const code = `
      const os = await import("node:os");
      const fs = await import("node:fs");
      const { outputOf } = await import(${JSON.stringify(path.resolve("test/support/command.ts"))});
      process.umask(0o077);
      os.setPriority(5);
      fs.writeFileSync("/proc/self/oom_score_adj", "500");
      process.on("SIGUSR2", () => {});
      console.log(await outputOf("umask; nice; cat /proc/self/oom_score_adj; env; tty; ls -l /proc/self/fd/0 /proc/self/fd/2; while read name value; do case $name in Sig*|Shd*) echo $name $value;; esac; done </proc/self/status"));`;
    const args = ["--import", "tsx", "--input-type=module", "-e", code];
    // nohup: with SIGHUP ignored, as services may start.
    const { stdout } = await run("nohup", [process.execPath, ...args], {
      env: { ...process.env, NODE_TEST_CONTEXT: "", SECRET: "daemon's" },
    });
    const [umask, nice, oom, ...rest] = stdout.trim().split("\n");
    assert.deepEqual([umask, oom], ["0022", "0"]);
    assert.ok(nice === "0" || nice === "5", "lowered needs a privilege");
    assert.ok(rest.includes("not a tty"));
    assert.equal(rest.filter((line) => line.endsWith("-> /dev/null")).length, 2);
    assert.ok(!stdout.includes("SECRET"));
    for (const name of ["SigPnd", "SigBlk", "SigIgn"]) {
      assert.ok(rest.includes(`${name}: 0000000000000000`), stdout);
    }
  });

  it("leads a session and a group of its own, without a terminal", async () => {
    using command = await Command.shell("cut -d' ' -f5,6,7 /proc/$$/stat; echo $$");
    await command.exit();
    const { pid } = command.process;
    assert.equal(command.output?.text, `${pid} ${pid} 0\n${pid}\n`);
  });
});

describe("command in a terminal", () => {
  const size = { columns: 91, rows: 33 };
  const inTerminal = (script: string, options: Partial<SpawnOptions> = {}) =>
    Command.shell(script, { pty: size, ...options });

  it("has a controlling terminal of the size asked for, which belongs to the user", async () => {
    using command = await inTerminal(
      "tty -s && echo terminal; stty size; stty -a | grep -o iutf8; stat -c '%u %G %a' $(tty); cat </dev/tty",
      { identity: nobody },
    );
    await command.terminal?.shows(/terminal\r\n33 91\r\niutf8\r\n65534 tty 620\r\n/);
    const { stdout, stderr, stdin } = command.process;
    assert.deepEqual([stdin, stdout, stderr], [-1, -1, -1]);
    command.terminal?.port.write([Buffer.from("typed\n\x04")]);
    assert.deepEqual(await command.exit(), { code: 0, signal: 0 });
    assert.match(command.terminal?.text ?? "", /typed\r\ntyped\r\n$/);
  });

  it("is told of a new size", async () => {
    using command = await inTerminal(
      "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done",
    );
    await command.terminal?.shows(/ready/);
    command.process.resize(120, 50);
    assert.deepEqual(await command.exit(), { code: 0, signal: 0 });
    assert.match(command.terminal?.text ?? "", /50 120/);
    command.process.resize(1, 1); // its descriptor is closed
  });

  it("is interrupted by Ctrl-C", async () => {
    using command = await inTerminal("echo ready; exec sleep 1000");
    await command.terminal?.shows(/ready/);
    command.terminal?.port.write([Buffer.from("\x03")]);
    assert.deepEqual(await command.exit(), { code: 0, signal: signals.interrupt });
  });

  it("is hung up on when the terminal is closed", async () => {
    using command = await inTerminal("echo ready; exec sleep 1000");
    await command.terminal?.shows(/ready/);
    command.terminal?.port.close();
    await until("the command's end", () => command.exited);
    assert.deepEqual(command.exited, { code: 0, signal: signals.hangup });
  });
});

describe("command in a cgroup", () => {
  /** Where cgroup v2 is mounted, if it is, and folders can be made. */
  const mounted = /^\S+ (\S+) cgroup2 (?:\S*,)?rw/m.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1];

  it("joins a folder made for it, or runs without", async () => {
    const cgroup = path.join(mounted ?? folder, `limiquantix-test-${process.pid}`);
    for (const [identity, asKernel] of [
      [nobody, {}],
      [undefined, {}],
      [nobody, { pidfd: false as const }],
    ] as const) {
      using command = await Command.shell("cat /proc/self/cgroup", {
        cgroups: [cgroup],
        ...asKernel,
        ...(identity && { identity }),
      });
      await command.exit();
      assert.equal(command.process.cgroup, mounted === undefined ? "" : cgroup);
      assert.equal(existsSync(cgroup), mounted !== undefined);
      if (mounted === undefined) continue;
      assert.match(command.output?.text ?? "", new RegExp(`^0::/.*limiquantix-test-${process.pid}$`, "m"));
      command.process.close();
      rmdirSync(cgroup);
    }
  });

  it("joins one that is there when it is empty, and else the next", async () => {
    const [first = "", second = ""] = [1, 2].map((n) =>
      path.join(mounted ?? folder, `limiquantix-test-${process.pid}-${n}`),
    );
    using long = await Command.shell("read line", { cgroups: [first], stdin: "pipe" });
    using other = await Command.shell("true", { cgroups: [first, second] });
    await other.exit();
    long.input?.end();
    await long.exit();
    using again = await Command.shell("true", { cgroups: [first, second] });
    await again.exit();
    const used = [long, other, again].map(({ process: { cgroup } }) => cgroup);
    assert.deepEqual(used, mounted === undefined ? ["", "", ""] : [first, second, first]);
    for (const { process: raw } of [long, other, again]) raw.close();
    if (mounted !== undefined) for (const cgroup of [first, second]) rmdirSync(cgroup);
  });

  it("runs without where there is no cgroup, and joins none that holds others", async () => {
    const places = [path.join(folder, "no-cgroup"), "/nowhere/cgroup", mounted ?? folder];
    using command = await Command.shell("true", { cgroups: places });
    assert.equal(command.process.cgroup, "");
    assert.equal(existsSync(path.join(folder, "no-cgroup")), false);
    assert.ok(statSync(mounted ?? folder).isDirectory());
  });

  it("leaves no folder behind for a command that did not start", async () => {
    const cgroup = path.join(mounted ?? folder, `limiquantix-test-${process.pid}`);
    assert.equal((await failure({ files: ["/nowhere/program"], cgroups: [cgroup] })).code, "ENOENT");
    await until("the folder to be gone", () => !existsSync(cgroup));
  });
});
