// limiquantix-ctl passwd and ssh-key, with an agent whose answers are the test's. Needs tmux.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import type { AgentMessage, Envelope } from "../../src/wire/envelope.ts";
import { ctl, ctlEnvironment, ctlProgram, finished, startCtl } from "../support/ctl.ts";
import { failed, one, succeeded } from "../support/ctl-result.ts";
import { Sockets } from "../support/sockets.ts";
import { ed25519Key } from "../support/ssh-key.ts";
import { Terminal } from "../support/tmux.ts";
import { needsTool } from "../support/tools.ts";
import { codeOf } from "../support/with-agent.ts";

const sockets = new Sockets();
const [first, second] = [ed25519Key(1), ed25519Key(2)];

/** What an agent with the extension was asked. */
class FakeUsers {
  readonly asked: Record<string, unknown>[] = [];
  readonly features: string[];
  error = "";

  constructor(features = ["users"]) {
    this.features = features;
  }

  receive(
    { messageId, resetPassword, sshKeyAdd, sshKeyList, sshKeyRemove }: AgentMessage,
    send: (envelope: Envelope) => void,
  ): boolean {
    const request = resetPassword ?? sshKeyAdd ?? sshKeyList ?? sshKeyRemove;
    if (!request) return false;
    this.asked.push({ ...request });
    const { error } = this;
    const result = { success: error === "", error };
    if (resetPassword) send({ messageId, resetPasswordResponse: result });
    if (sshKeyAdd) send({ messageId, sshKeyAddResponse: { ...result, added: 1 } });
    if (sshKeyRemove) send({ messageId, sshKeyRemoveResponse: { ...result, removed: 1 } });
    const key = {
      line: `${first} a\u001b[2J`,
      type: "ssh-ed25519",
      fingerprint: "SHA256:abc",
      comment: "a\u001b[2J",
    };
    const keys = [{ ...key, options: "" }, { line: "what is this" }];
    if (sshKeyList) send({ messageId, sshKeyListResponse: { ...result, keys } });
    return true;
  }

  leave(): void {
    // Nothing is under way.
  }
}

async function serve(features?: string[]): Promise<FakeUsers> {
  const guest = new FakeUsers(features);
  await sockets.serve({ guest });
  return guest;
}

const env = () => ({ LIMIQUANTIX_SOCKET: sockets.path });
const run = (...words: string[]) => ctl(words, { env: env() });

async function withInput(text: string, ...words: string[]) {
  const child = await startCtl(words, { env: env(), stdin: "pipe" });
  child.stdin?.end(text);
  return finished(child);
}

describe("limiquantix-ctl passwd", () => {
  it("sends the one line of standard input", async () => {
    const guest = await serve();
    succeeded(await withInput(" pass wörd:x \n", "passwd", "alice", "--stdin"));
    const output = succeeded(
      await withInput("$6$hash\r\n", "passwd", "--stdin", "--hashed", "--expire", "bob", "--json"),
    );
    assert.deepEqual(one(output), { user: "bob", expire: true });
    const [plain, hashed] = guest.asked;
    assert.deepEqual([plain?.username, plain?.newPassword], ["alice", " pass wörd:x "]);
    assert.deepEqual(
      [hashed?.username, hashed?.newPassword, hashed?.expire, hashed?.hashed],
      ["bob", "$6$hash", true, true],
    );
  });

  it("takes nothing else for one, and says why", async () => {
    const guest = await serve();
    failed(await withInput("", "passwd", "alice", "--stdin"), { code: 2, message: /is empty/ });
    failed(await withInput("a\nb\n", "passwd", "alice", "--stdin"), {
      code: 2,
      message: /more than one line/,
    });
    failed(await withInput("a".repeat(5000), "passwd", "alice", "--stdin"), {
      code: 2,
      message: /more than 4096/,
    });
    failed(await run("passwd", "alice"), { code: 2, message: /no terminal to ask at; with --stdin/ });
    failed(await run("passwd"), { code: 2, message: /missing required argument/ });
    assert.deepEqual(guest.asked, []);
    guest.error = "QXGA-5003 cannot set the password of alice: no";
    failed(await withInput("a", "passwd", "alice", "--stdin"), { code: 1, message: /QXGA-5003 cannot set/ });
  });

  it("gives no hash to an agent that would take it for the password", async () => {
    const guest = await serve(["files"]);
    failed(await withInput("$6$hash", "passwd", "alice", "--stdin", "--hashed"), {
      code: 1,
      message: /"users"/,
    });
    assert.deepEqual(guest.asked, []);
    succeeded(await withInput("plain", "passwd", "alice", "--stdin"));
  });

  describe("at a terminal", needsTool("tmux", "tmux"), () => {
    async function open(words: string): Promise<Terminal> {
      const command = `${process.execPath} ${await ctlProgram()} passwd ${words}`;
      const script = `stty -g; ${command}; echo "ended with $?"; stty -g; exec cat`;
      return Terminal.open({ columns: 160, rows: 24, script, env: ctlEnvironment(env()) });
    }

    it("asks twice, and shows nothing of it", async () => {
      const guest = await serve();
      await using terminal = await open("alice");
      await terminal.shows(/The new password of alice in \S+: ?$/m);
      await terminal.type("sécret x\u007fy\r");
      await terminal.shows(/The same again:/);
      await terminal.type("sécret y\r");
      const screen = await terminal.shows(/ended with 0\n[\da-f:]+$/m);
      assert.doesNotMatch(screen, /cret/);
      const [before, after] = screen.match(/^[\da-f]+:[\da-f:]+$/gm) ?? [];
      assert.equal(after, before);
      assert.equal(guest.asked[0]?.newPassword, "sécret y");
    });

    it("changes nothing when they differ, or with Ctrl-C", async () => {
      const guest = await serve();
      await using differing = await open("alice");
      await differing.shows(/alice in \S+: ?$/m);
      await differing.type("one\r");
      await differing.shows(/again:/);
      await differing.type("two\r");
      await differing.shows(/two different passwords; nothing was changed\nended with 2\n/);
      await using interrupted = await open("alice");
      await interrupted.shows(/alice in \S+: ?$/m);
      await interrupted.type("one\u0003");
      const screen = await interrupted.shows(/ended with 130\n[\da-f:]+$/m);
      const [before, after] = screen.match(/^[\da-f]+:[\da-f:]+$/gm) ?? [];
      assert.equal(after, before);
      assert.deepEqual(guest.asked, []);
    });
  });
});

describe("limiquantix-ctl ssh-key", () => {
  it("adds keys from files, lines and standard input", async () => {
    const guest = await serve();
    const file = path.join(sockets.folder, "keys.pub");
    writeFileSync(file, `# mine\n${first} a\n\n${second}\r\n`);
    assert.equal(succeeded(await run("ssh-key", "add", "alice", file)), "1 added, 1 there already\n");
    succeeded(await run("ssh-key", "add", "alice", `no-pty ${first} b`, "--replace"));
    const output = succeeded(await withInput(`${second}\n`, "ssh-key", "add", "alice", "-", "--json"));
    assert.deepEqual(one(output), { user: "alice", added: 1 });
    assert.deepEqual(
      guest.asked.map(({ keys, replace }) => [keys, replace ?? false]),
      [
        [[`${first} a`, second], false],
        [[`no-pty ${first} b`], true],
        [[second], false],
      ],
    );
  });

  it("removes keys by fingerprint too", async () => {
    const guest = await serve();
    const fingerprint = `SHA256:${"a".repeat(43)}`;
    assert.equal(succeeded(await run("ssh-key", "rm", "alice", fingerprint, first)), "1 removed\n");
    assert.deepEqual(guest.asked[0]?.keys, [fingerprint, first]);
  });

  it("lists them, and what a terminal might obey is shown as text", async () => {
    await serve();
    const lines = succeeded(await run("ssh-key", "list", "alice"))
      .trim()
      .split("\n");
    assert.match(lines[0] ?? "", /^TYPE +FINGERPRINT +COMMENT +OPTIONS$/);
    assert.match(lines[1] ?? "", /^ssh-ed25519 +SHA256:abc +a\\x1b\[2J$/);
    assert.match(lines[2] ?? "", /^\? +what is this$/);
    const keys = JSON.parse(succeeded(await run("ssh-key", "list", "alice", "--json"))) as unknown[];
    assert.deepEqual(keys[1], { line: "what is this", type: "", fingerprint: "", comment: "", options: "" });
  });

  it("keeps private keys here, and says what it cannot use", async () => {
    const guest = await serve();
    const file = path.join(sockets.folder, "id");
    writeFileSync(file, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
    failed(await run("ssh-key", "add", "alice", file), {
      code: 2,
      message: /PRIVATE key.*the \.pub beside it/,
    });
    writeFileSync(file, "# none\n");
    failed(await run("ssh-key", "add", "alice", file), { code: 2, message: /has no key/ });
    failed(await run("ssh-key", "add", "alice", `${file}.pub`), { code: 1, message: /no such file/ });
    failed(await run("ssh-key", "add", "alice"), { code: 2, message: /which keys\?/ });
    failed(await run("ssh-key", "drop", "alice"), { code: 2, message: /add, list, rm/ });
    failed(await run("ssh-key", "list", "alice", first), { code: 2, message: /no keys/ });
    failed(await run("ssh-key", "rm", "alice", first, "--replace"), { code: 2, message: /--replace is for/ });
    assert.deepEqual(guest.asked, []);
  });

  it("needs an agent that can", async () => {
    await serve(["files"]);
    failed(await run("ssh-key", "list", "alice"), { code: 1, message: /"users".*version 9\.9\.9/ });
    await using client = await connect({ socket: sockets.path, reconnect: false });
    assert.equal(await codeOf(client.users.addSshKeys("alice", [first])), "not-supported");
    assert.equal(await codeOf(client.users.removeSshKeys("alice", [first])), "not-supported");
  });
});
