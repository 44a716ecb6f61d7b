import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { addon } from "../../src/native/addon.ts";
import type { RawPort } from "../../src/native/port.ts";
import { FakeVirtioPort } from "../support/fake-virtio-port.ts";
import { type Channel, type HostEnd, portContract } from "../support/port-contract.ts";
import { PortProbe } from "../support/port-probe.ts";
import { until } from "../support/until.ts";

/** The host's end over the addon's own port, read only when asked. */
function rawHostEnd(raw: RawPort): HostEnd {
  const buffer = Buffer.alloc(64 * 1024);
  return {
    send(bytes) {
      assert.equal(raw.write([bytes]), bytes.length);
    },
    receive() {
      try {
        const count = raw.read(buffer);
        return Buffer.from(buffer.subarray(0, Math.max(count, 0)));
      } catch {
        return Buffer.alloc(0); // the other end has gone
      }
    },
    close() {
      raw.close();
    },
  };
}

function openFake(): { guest: PortProbe; fake: FakeVirtioPort } {
  let fake: FakeVirtioPort | undefined;
  const guest = new PortProbe((onEvents) => (fake = new FakeVirtioPort(onEvents)));
  return { guest, fake: fake as unknown as FakeVirtioPort };
}

function fakeHostEnd(fake: FakeVirtioPort): HostEnd {
  fake.connect();
  return {
    send: (bytes) => {
      fake.send(bytes);
    },
    receive: () => fake.receive(),
    close: () => {
      fake.disconnect();
    },
  };
}

portContract("fake virtio port", () => {
  const { guest, fake } = openFake();
  const host = fakeHostEnd(fake);
  return Promise.resolve({
    guest,
    host,
    onHostClose: "away",
    close: () => {
      guest.port.close();
    },
  });
});

portContract("UNIX socket", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "port-"));
  const socket = path.join(folder, "s");
  const listener = new addon.Listener(socket, () => undefined);
  const guest = new PortProbe((onEvents) => new addon.Port({ socket }, onEvents));
  const fd = await until("the connection", () => {
    const accepted = listener.accept();
    return accepted >= 0 && accepted;
  });
  const host = new addon.Port({ fd }, () => undefined);
  const close = (): void => {
    guest.port.close();
    host.close();
    listener.close();
    rmSync(folder, { recursive: true });
  };
  return { guest, host: rawHostEnd(host), onHostClose: "closed", close } satisfies Channel;
});

portContract("PTY", () => {
  const { fd, path: device } = addon.openPty();
  const host = new addon.Port({ fd }, () => undefined);
  const guest = new PortProbe((onEvents) => new addon.Port({ device }, onEvents));
  const close = (): void => {
    guest.port.close();
    host.close();
  };
  return Promise.resolve({ guest, host: ptyHostEnd(host), onHostClose: "closed", close });
});

/** A terminal's other end may take fewer bytes than it is given; the rest follows. */
function ptyHostEnd(raw: RawPort): HostEnd {
  const end = rawHostEnd(raw);
  return {
    ...end,
    send(bytes) {
      let at = 0;
      const more = (): void => {
        at += raw.write([bytes.subarray(at)]);
        if (at < bytes.length) setImmediate(more);
      };
      more();
    },
  };
}

describe("virtio port, host coming and going", () => {
  it("costs no wake-up while no host is there", async () => {
    const { guest, fake } = openFake();
    await until("the first edge", () => fake.wakeUps === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(fake.wakeUps, 1);
    assert.deepEqual(guest.events, []);
    guest.port.close();
  });

  it("keeps a reply for a host whose bytes come before its connection", async () => {
    const { guest, fake } = openFake();
    fake.send(Buffer.from("request"));
    await guest.received(7);
    assert.deepEqual(guest.events, ["attached"]);
    guest.send(Buffer.from("reply"));
    assert.equal(guest.unsentBytes, 5, "nothing can be written before the kernel says OUT");
    fake.connect();
    await until("the reply", () => fake.receive().toString() === "reply");
    assert.deepEqual(guest.events, ["attached"], "it is one host");
    guest.port.close();
  });

  it("takes a host that never became writable for gone", async () => {
    const { guest, fake } = openFake();
    fake.send(Buffer.from("request"));
    await guest.saw("attached", "away");
    guest.port.close();
  });

  it("tells each host from the one before, on the same port", async () => {
    const { guest, fake } = openFake();
    for (let i = 1; i <= 5; i++) {
      const host = fakeHostEnd(fake);
      await until("attached", () => guest.events.length === 2 * i - 1);
      host.send(Buffer.from(`host ${i}`));
      assert.equal((await guest.received(6)).toString(), `host ${i}`);
      host.close();
      await until("away", () => guest.events.length === 2 * i);
    }
    assert.deepEqual(guest.events, Array.from({ length: 5 }, () => ["attached", "away"]).flat());
    guest.port.close();
  });

  it("takes an unplugged port for closed, not for a host that is away", async () => {
    const { guest, fake } = openFake();
    fakeHostEnd(fake);
    await guest.saw("attached");
    fake.unplug();
    await guest.saw("attached", "away", "closed: unplugged");
  });
});
