import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { RawHost } from "../support/raw-host.ts";
import { systemdGuest } from "../support/vm/systemd/saved.ts";

let guest: Awaited<ReturnType<typeof systemdGuest>>;
before(async () => {
  guest = await systemdGuest();
});

describe("agent as a service of systemd", () => {
  it("answers", async () => {
    await using machine = await guest.restore();
    const host = await RawHost.connect(machine.agentSocket);
    const answer = await host.ask({ ping: { sequence: 7 } }, "plain", 30_000);
    assert.equal(Number(answer.pong?.sequence), 7);
    host.close();
  });
});
