import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../src/host/index.ts";
import { ctl, startCtl } from "../support/ctl.ts";
import { Daemon } from "../support/daemon.ts";
import { RawHost } from "../support/raw-host.ts";
import { unfinishedIn } from "../support/transfer-host.ts";
import { until } from "../support/until.ts";

/** As many points as the file is cut at. */
const cuts = 200;

/** Large enough that it is not through before all of them. */
const fileBytes = 400 * 1024 * 1024;

describe("an upload of which one side is killed at 200 random points", () => {
  it("goes on each time and is whole in the end when it is the host", async () => {
    await using daemon = new Daemon().start();
    const local = path.join(daemon.folder, "local");
    const guest = path.join(daemon.folder, "guest");
    const bytes = randomBytes(fileBytes);
    writeFileSync(local, bytes);
    writeFileSync(guest, "old");
    (await RawHost.connect(daemon.socket)).close();
    const args = ["cp", "--resume", "--checksum", "--socket", daemon.socket, local, `:${guest}`];
    let killedInTime = 0;
    for (let i = 0; i < cuts; i++) {
      const child = await startCtl(args);
      await sleep(60 + Math.random() * 60); // from before it has connected to well within
      child.kill("SIGKILL");
      const [code] = (await once(child, "exit")) as [number | null];
      assert.equal(code, null, "it was through before all cuts were made");
      if (unfinishedIn(daemon.folder).length > 0) killedInTime++;
      assert.equal(readFileSync(guest, "utf8"), "old");
    }
    assert.ok(killedInTime > 0);
    const last = await ctl([...args, "--json"]);
    assert.equal(last.code, 0, last.stderr);
    assert.ok(bytes.equals(readFileSync(guest)));
    assert.deepEqual(unfinishedIn(daemon.folder), []);
  });

  it("goes on each time and is whole in the end when it is the agent", async () => {
    await using daemon = new Daemon().start();
    const local = path.join(daemon.folder, "local");
    const guest = path.join(daemon.folder, "guest");
    const bytes = randomBytes(fileBytes);
    writeFileSync(local, bytes);
    writeFileSync(guest, "old");
    const hasBegun = (): boolean =>
      unfinishedIn(daemon.folder).some(
        (name) => statSync(path.join(daemon.folder, name)).size > 8 * 1024 * 1024,
      );
    const upload = async (cutAfterMs: number | undefined, isLast = false): Promise<number> => {
      await until("the socket", () => RawHost.connect(daemon.socket).then((host) => (host.close(), true)));
      const client = await connect({ socket: daemon.socket });
      const copy = client.files.upload(local, guest, { resume: true, checksum: true });
      try {
        if (cutAfterMs !== undefined) {
          copy.catch(() => undefined);
          if (isLast) await until("a part of the file", hasBegun);
          await sleep(cutAfterMs);
          await daemon.stop("SIGKILL");
        }
        return (await copy).resumedAt;
      } finally {
        await client.close();
      }
    };
    for (let i = 0; i < cuts; i++) {
      await assert.rejects(upload(Math.random() * 10, i === cuts - 1), { code: "connection-lost" });
      assert.equal(readFileSync(guest, "utf8"), "old");
      daemon.start();
    }
    const resumedAt = await upload(undefined);
    assert.ok(resumedAt > 0);
    assert.ok(bytes.equals(readFileSync(guest)));
    assert.deepEqual(unfinishedIn(daemon.folder), []);
  });
});
