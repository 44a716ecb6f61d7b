// The real daemon. This machine is its guest, so nothing here is asked for a user that there is.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { Daemon } from "../support/daemon.ts";
import { agentCodeOf } from "../support/guest-files.ts";
import { ed25519Key } from "../support/ssh-key.ts";
import { until } from "../support/until.ts";

const stranger = "no-such-user-of-this-machine";

async function withDaemon(
  config: string,
  body: (client: Awaited<ReturnType<typeof connect>>, daemon: Daemon) => Promise<void>,
): Promise<void> {
  await using daemon = new Daemon();
  daemon.start({ config });
  await using client = await until("a connection", () =>
    connect({ socket: daemon.socket }).catch(() => undefined),
  );
  await body(client, daemon);
}

describe("users of a guest", () => {
  it("have to be there, and the log has no secrets", async () => {
    const config = "log_level: trace\nsecurity:\n  audit_logging: true\n";
    await withDaemon(config, async ({ users }, daemon) => {
      const key = `command="quite-secret" ${ed25519Key(1)}`;
      assert.equal(await agentCodeOf(users.setPassword(stranger, "quite-secret")), "QXGA-3005");
      assert.equal(await agentCodeOf(users.setPassword(`${stranger}\nroot`, "quite-secret")), "QXGA-3005");
      assert.equal(await agentCodeOf(users.setPassword(stranger, "quite-secret\nroot:x")), "QXGA-5003");
      assert.equal(await agentCodeOf(users.sshKeys(stranger)), "QXGA-3005");
      assert.equal(await agentCodeOf(users.addSshKeys(stranger, [key])), "QXGA-3005");
      assert.equal(await agentCodeOf(users.removeSshKeys("../root", [key])), "QXGA-3005");
      for (const operation of ["reset_password", "ssh_key_list", "ssh_key_add", "ssh_key_remove"])
        await daemon.logged(`"operation":"${operation}"`);
      assert.doesNotMatch(daemon.log, /quite-secret|AAAA/);
    });
  });

  it("are left alone by an image that says so", async () => {
    await withDaemon("security:\n  disabled_operations: [reset_password, ssh_key_add]\n", async (client) => {
      assert.equal(await agentCodeOf(client.users.setPassword(stranger, "x")), "QXGA-8006");
      assert.equal(await agentCodeOf(client.users.addSshKeys(stranger, [ed25519Key(1)])), "QXGA-8006");
      assert.equal(await agentCodeOf(client.users.sshKeys(stranger)), "QXGA-3005");
    });
  });
});
