// edit with the real daemon; this machine is the guest.
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type CtlResult, ctl, ctlEnvironment, ctlProgram, finished, startCtl } from "../support/ctl.ts";
import { failed, one } from "../support/ctl-result.ts";
import { DaemonVm } from "../support/daemon-vm.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";
import { until } from "../support/until.ts";

const vm = new DaemonVm();
let folder = "";
let drafts = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "guest-"));
  drafts = path.join(folder, "drafts");
  mkdirSync(drafts);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const inFolder = (name: string): string => path.join(folder, name);

/** The environment of a user whose editor is a line of /bin/sh that has the file in $1. */
function withEditor(line: string): Record<string, string> {
  const program = inFolder("editor");
  writeFileSync(program, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return { ...vm.options.env, TMPDIR: drafts, EDITOR: program };
}

const edit = (name: string, line: string, ...options: string[]): Promise<CtlResult> =>
  ctl(["edit", ...options, `web1:${inFolder(name)}`], { env: withEditor(line) });

const nothingLeft = (): void => {
  assert.deepEqual(readdirSync(drafts), []);
};

describe("limiquantix-ctl edit", () => {
  it("writes back what the editor has changed, with the mode and the owner that the file had", async () => {
    writeFileSync(inFolder("a.conf"), "port 80\n");
    chmodSync(inFolder("a.conf"), 0o4640);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(inFolder("a.conf"), 1, 2);
    chmodSync(inFolder("a.conf"), 0o4640);
    const result = await edit("a.conf", `sed -i s/80/8080/ "$1"`);
    assert.deepEqual(result, { code: 0, stdout: "", stderr: "" });
    assert.equal(readFileSync(inFolder("a.conf"), "utf8"), "port 8080\n");
    const { mode, uid, gid } = statSync(inFolder("a.conf"));
    assert.equal(mode & 0o7777, 0o4640);
    if (isRoot) assert.deepEqual([uid, gid], [1, 2]);
    nothingLeft();
  });

  it("gives the editor a private copy of the same name", async () => {
    writeFileSync(inFolder("x.yaml"), "a: 1\n", { mode: 0o444 });
    const line = `stat -c '%a %n' "$1" > ${inFolder("seen")}; stat -c %a "$(dirname "$1")" >> ${inFolder("seen")}`;
    assert.match((await edit("x.yaml", line)).stderr, /x\.yaml is not changed/);
    assert.match(readFileSync(inFolder("seen"), "utf8"), /^600 \S+\/x\.yaml\n700\n$/);
  });

  it("takes $VISUAL before $EDITOR, with options, as a line for a shell", async () => {
    writeFileSync(inFolder("a"), "1\n");
    const env = { ...withEditor("false"), VISUAL: "sed -i -e 's/1/2 3/'" };
    assert.equal((await ctl(["edit", `web1:${inFolder("a")}`], { env })).code, 0);
    assert.equal(readFileSync(inFolder("a"), "utf8"), "2 3\n");
  });

  it("writes nothing when nothing was changed", async () => {
    writeFileSync(inFolder("a"), "1\n");
    const before = statSync(inFolder("a"));
    const { code, stderr } = await edit("a", `touch "$1"`);
    assert.deepEqual([code, stderr], [0, `limiquantix-ctl: ${inFolder("a")} is not changed\n`]);
    assert.equal(statSync(inFolder("a")).ino, before.ino);
    nothingLeft();
  });

  it("makes a file that is not there, unless the editor makes none", async () => {
    assert.equal((await edit("new", `test ! -e "$1" && echo hello > "$1"`)).code, 0);
    assert.equal(readFileSync(inFolder("new"), "utf8"), "hello\n");
    assert.equal(statSync(inFolder("new")).mode & 0o777, 0o644);
    assert.match((await edit("other", "true")).stderr, /not changed/);
    assert.ok(!existsSync(inFolder("other")));
  });

  it("replaces what a link leads to, not the link", async () => {
    writeFileSync(inFolder("real"), "1\n");
    symlinkSync("real", inFolder("link"));
    assert.equal((await edit("link", `echo 2 > "$1"`)).code, 0);
    assert.equal(readFileSync(inFolder("real"), "utf8"), "2\n");
  });

  it("takes an editor that replaces the file", async () => {
    writeFileSync(inFolder("a"), "1\n");
    assert.equal((await edit("a", `echo 2 > "$1.new"; mv "$1.new" "$1"`)).code, 0);
    assert.equal(readFileSync(inFolder("a"), "utf8"), "2\n");
    nothingLeft();
  });

  it("keeps the copy when the file was changed in the guest meanwhile", async () => {
    writeFileSync(inFolder("a"), "1\n");
    const result = await edit("a", `echo mine > "$1"; echo theirs > ${inFolder("a")}`);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /\/a has been changed in the guest meanwhile/);
    const [, copy = ""] = /your copy is kept: (\S+)/.exec(result.stderr) ?? [];
    assert.equal(readFileSync(copy, "utf8"), "mine\n");
    assert.equal(readFileSync(inFolder("a"), "utf8"), "theirs\n");
  });

  it("keeps the copy when a new file was made in the guest meanwhile", async () => {
    const result = await edit("new", `echo mine > "$1"; echo theirs > ${inFolder("new")}`, "--json");
    assert.equal(result.code, 1);
    assert.equal((one(result.stdout)["error"] as { agentCode: string }).agentCode, "QXGA-4020");
    assert.equal(readFileSync(inFolder("new"), "utf8"), "theirs\n");
    assert.match(result.stderr, /your copy is kept/);
  });

  it("writes nothing when the editor fails, and keeps a copy that it has changed", async () => {
    writeFileSync(inFolder("a"), "1\n");
    failed(await edit("a", "exit 3"), { code: 1, message: /ended with exit code 3; nothing is written/ });
    nothingLeft();
    const { code, stderr } = await edit("a", `echo 2 > "$1"; kill -TERM $$`);
    assert.deepEqual([code, readFileSync(inFolder("a"), "utf8")], [128 + 15, "1\n"]);
    assert.match(stderr, /your copy is kept/);
  });

  it("does not begin with what cannot be edited", async () => {
    mkdirSync(inFolder("d"));
    const line = `touch ${inFolder("ran")}`;
    failed(await edit("d", line), { code: 1, message: /\/d is no regular file/ });
    failed(await edit("d/", line), { code: 1, message: /names no file/ });
    failed(await edit("nope/a", line), { code: 1, message: /nope/ });
    assert.ok(!existsSync(inFolder("ran")));
    nothingLeft();
  });

  it("is not connected while the editor runs", async () => {
    writeFileSync(inFolder("a"), "1\n");
    const line = `touch ${inFolder("ran")}; while [ -e ${inFolder("ran")} ]; do sleep 0.02; done; echo 2 > "$1"`;
    const child = await startCtl(["edit", "--json", `web1:${inFolder("a")}`], { env: withEditor(line) });
    const result = finished(child);
    await until("the editor runs", () => existsSync(inFolder("ran")));
    assert.equal((await vm.run("ping", "--vm", "web1")).code, 0);
    rmSync(inFolder("ran"));
    assert.deepEqual(one((await result).stdout), { path: inFolder("a"), changed: true });
  });

  describe("in a terminal", needsTool("tmux", "tmux"), () => {
    it("leaves Ctrl-C to the editor, and gives it the terminal", async () => {
      writeFileSync(inFolder("a"), "1\n");
      const line = `trap 'echo interrupted' INT; echo "editing"; until read answer; do :; done; echo "$answer" > "$1"`;
      const env = ctlEnvironment(withEditor(line));
      const command = `${process.execPath} ${await ctlProgram()} edit web1:${inFolder("a")}`;
      const script = `trap : INT; ${command}; echo "ended with $?"; exec cat`;
      await using terminal = await Terminal.open({ columns: 100, rows: 10, script, env });
      await terminal.shows(/^editing/m);
      await terminal.press("C-c");
      await terminal.shows(/interrupted/);
      await terminal.type("new\r");
      await terminal.shows(/ended with 0/);
      assert.equal(readFileSync(inFolder("a"), "utf8"), "new\n");
    });

    it("works with vi", needsTool("vi", "vim-tiny"), async () => {
      writeFileSync(inFolder("a"), "one\n");
      const env = ctlEnvironment({ ...withEditor(""), EDITOR: "" });
      const command = `${process.execPath} ${await ctlProgram()} edit web1:${inFolder("a")}`;
      const script = `${command}; echo "ended with $?"; exec cat`;
      await using terminal = await Terminal.open({
        columns: 100,
        rows: 10,
        script,
        env,
      });
      await terminal.shows(/^one/m);
      await terminal.type("cwtwo\u001b:wq\r");
      await terminal.shows(/ended with 0/);
      assert.equal(readFileSync(inFolder("a"), "utf8"), "two\n");
    });
  });
});
