import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { type Client, connect } from "../../src/host/index.ts";
import { effects } from "../../src/agent/policy/effects.ts";
import { operationName } from "../../src/wire/operations.ts";
import { Daemon } from "../support/daemon.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";

async function host(daemon: Daemon): Promise<Client> {
  const there = (): Promise<Client | false> =>
    connect({ socket: daemon.socket, timeoutSeconds: 20 }).catch(() => false as const);
  return await until("the agent", there, 20_000);
}

/** What the agent says it does, asked anew. */
async function operationsOf(daemon: Daemon): Promise<string[]> {
  const raw = await RawHost.connect(daemon.socket);
  const capabilities = (await raw.until("agentReady")).agentReady?.capabilities ?? [];
  raw.close();
  return capabilities;
}

/** The security part of the config, and SIGHUP; until it says `logged`. */
async function reload(daemon: Daemon, config: string, logged: string): Promise<void> {
  const seen = daemon.log.split(logged).length;
  writeFileSync(path.join(daemon.folder, "agent.yaml"), `state_dir: ${daemon.stateDir}\n${config}`);
  process.kill(daemon.pid, "SIGHUP");
  await until(logged, () => daemon.log.split(logged).length > seen, 10_000);
}

const taken = "the config was read again";

describe("policy of operations", () => {
  it("allows only what is listed, by patterns, and always what the conversation needs", async () => {
    const config = "security: {operations: {allow: [file_*, list_directory], deny: [file_delete]}}\n";
    await using daemon = new Daemon().start({ config });
    const operations = await operationsOf(daemon);
    for (const name of ["ping", "hello", "get_capabilities", "cancel", "file_read", "list_directory"])
      assert.ok(operations.includes(name), name);
    for (const name of ["execute", "file_delete", "shutdown", "tree_get"])
      assert.ok(!operations.includes(name), name);
    await using client = await host(daemon);
    await assert.rejects(
      client.execute({ command: "true" }),
      /QXGA-8006.*operations\.allow does not have it/,
    );
    await assert.rejects(client.files.remove("/nowhere"), /QXGA-8006.*operations\.deny has it/);
    await client.ping();
  });

  it("does nothing that changes something in a guest that is read-only", async () => {
    await using daemon = new Daemon().start({ config: "security: {read_only: true}\n" });
    const operations = new Set(await operationsOf(daemon));
    for (const [name, effect] of Object.entries(effects)) {
      if (effect === "changes") assert.ok(!operations.has(operationName(name)), name);
    }
    await using client = await host(daemon);
    const file = path.join(daemon.folder, "agent.yaml");
    assert.match(await client.files.readFile(file, { encoding: "utf8" }), /read_only/);
    await assert.rejects(client.files.writeFile(file, "security: {}"), /QXGA-8006.*read_only is set/);
    assert.match(readFileSync(file, "utf8"), /read_only/);
  });

  it("answers so many requests a second, and pings besides", async () => {
    await using daemon = new Daemon().start({ config: "security: {max_requests_per_second: 3}\n" });
    await using client = await host(daemon);
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => client.files.stat("/")));
    assert.equal(asked.filter(({ status }) => status === "fulfilled").length, 3);
    const [refused] = asked.filter((result) => result.status === "rejected");
    assert.match(String(refused?.reason), /QXGA-8001 more than 3 requests a second/);
    await client.ping();
  });

  it("names what is wrong in a list of operations", async () => {
    await using daemon = new Daemon().start({
      config: "security:\n  operations:\n    deny: [file_*, fly, ping]\n",
    });
    await until("its end", () => daemon.log.includes("not valid"));
    assert.match(
      daemon.log,
      /agent\.yaml:4: security\.operations\.deny\.1: fly is not an operation of this agent/,
    );
    assert.match(daemon.log, /security\.operations\.deny\.2: ping cannot be switched off/);
  });
});

describe("the agent's own files", () => {
  it("are not the host's to change, whatever else is", async () => {
    await using daemon = new Daemon().start({ config: "security: {disabled_operations: [execute]}\n" });
    await using client = await host(daemon);
    const config = path.join(daemon.folder, "agent.yaml");
    const before = readFileSync(config, "utf8");
    mkdirSync(path.join(daemon.folder, "other"));
    const other = path.join(daemon.folder, "other/file");
    writeFileSync(other, "x");
    writeFileSync(path.join(daemon.folder, "other/agent.yaml"), "security: {}");
    const { files } = client;
    for (const [what, attempt] of Object.entries({
      write: () => files.writeFile(config, "security: {}"),
      "write a tree": () => files.uploadTree(path.join(daemon.folder, "other"), daemon.stateDir),
      "write a tree around": () => files.uploadTree(path.join(daemon.folder, "other"), daemon.folder),
      "link over": () => files.symlink(other, config, { replace: true }),
      "make a folder in": () => files.mkdir(path.join(daemon.stateDir, "x"), { recursive: true }),
      "copy over": () => files.copy(other, config),
      "rename over": () => files.rename(other, config),
      "rename away": () => files.rename(config, `${other}-2`),
      "rename its folder": () => files.rename(daemon.folder, `${daemon.folder}-2`),
      remove: () => files.remove(config),
      "remove its folder": () => files.remove(daemon.folder, { recursive: true }),
      "open up": () => files.setAttributes(config, { mode: 0o666 }),
      "write its state": () => files.writeFile(path.join(daemon.stateDir, "shutdown.json"), "{}"),
    })) {
      await assert.rejects(attempt(), /QXGA-4008/, what);
    }
    assert.equal(readFileSync(config, "utf8"), before);
    assert.ok(existsSync(other));
    await files.writeFile(other, "changed");
  });
});

describe("reading the config again", () => {
  it("takes over policy, and keeps the host's session", async () => {
    await using daemon = new Daemon().start();
    await using client = await host(daemon);
    assert.equal((await client.execute({ command: "echo 1" })).stdout, "1\n");
    await reload(daemon, "security: {operations: {deny: [execute]}}\n", taken);
    await assert.rejects(client.execute({ command: "echo 2" }), /QXGA-8006/);
    await reload(daemon, "max_exec_timeout_secs: 7\n", taken);
    assert.equal((await client.execute({ command: "echo 3" })).stdout, "3\n");
    assert.doesNotMatch(daemon.log, /host went away/);
  });

  it("takes over nothing of a config that is not valid", async () => {
    await using daemon = new Daemon().start({ config: "security: {operations: {deny: [execute]}}\n" });
    await using client = await host(daemon);
    const refused = "nothing of the config was taken over";
    await reload(daemon, "security: {operations: {deny: []}}\nlog_level: loud\n", refused);
    await assert.rejects(client.execute({ command: "true" }), /QXGA-8006/);
    const config = path.join(daemon.folder, "agent.yaml");
    chmodSync(config, 0o666);
    await reload(daemon, "security: {operations: {deny: []}}\n", refused);
    assert.match(daemon.log, /any user can write to it; run: chown root: /);
    await assert.rejects(client.execute({ command: "true" }), /QXGA-8006/);
  });

  it("says what takes effect only at the next start", async () => {
    await using daemon = new Daemon().start();
    await daemon.logged("limiquantix-agent starts");
    await reload(daemon, "framing: magic\nlog_level: debug\n", taken);
    await daemon.logged("takes effect when the agent is started again: framing");
  });
});
