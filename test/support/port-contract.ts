import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import type { PortProbe } from "./port-probe.ts";
import { until } from "./until.ts";

/** The other end of a channel. */
export interface HostEnd {
  send(bytes: Buffer): void;
  /** All that has come since the last call. Nothing is taken from the channel in between. */
  receive(): Buffer;
  close(): void;
}

export interface Channel {
  guest: PortProbe;
  host: HostEnd;
  /** What the guest sees when the host closes its end. */
  onHostClose: "away" | "closed";
  /** Another host on the same port, where there can be one. */
  reconnect?(): HostEnd;
  close(): void;
}

/** What every port does, whatever it is made of. `open` gives a channel with a host attached. */
export function portContract(name: string, open: () => Promise<Channel>): void {
  const withChannel = (body: (channel: Channel) => Promise<void>) => async () => {
    const channel = await open();
    try {
      await body(channel);
    } finally {
      channel.close();
    }
  };

  const receiveAll = async (host: HostEnd, count: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    let bytes = 0;
    await until(`${count} bytes at the host`, () => {
      const part = host.receive();
      parts.push(part);
      bytes += part.length;
      return bytes >= count;
    });
    return Buffer.concat(parts);
  };

  describe(`port contract: ${name}`, () => {
    it(
      "reports the host",
      withChannel(async ({ guest }) => {
        await guest.saw("attached");
      }),
    );

    it(
      "gives the host's bytes, all and in order",
      withChannel(async ({ guest, host }) => {
        const bytes = randomBytes(1024 * 1024);
        for (let at = 0; at < bytes.length; at += 10_000) {
          host.send(bytes.subarray(at, at + 10_000));
          await guest.received(0);
          // A terminal holds 4 KiB and drops the rest, so the sender waits for the reader.
          await until("the guest to read", () => guest.receivedBytes >= Math.min(at + 10_000, bytes.length));
        }
        assert.ok((await guest.received(bytes.length)).equals(bytes));
      }),
    );

    it(
      "takes what there is room for and says when there is more",
      withChannel(async ({ guest, host }) => {
        const bytes = randomBytes(6 * 1024 * 1024);
        guest.send(bytes);
        assert.ok(guest.unsentBytes > 0, "six megabytes fit nowhere");
        assert.ok((await receiveAll(host, bytes.length)).equals(bytes));
        assert.equal(guest.unsentBytes, 0);
      }),
    );

    it(
      "sends many small buffers in one go",
      withChannel(async ({ guest, host }) => {
        const buffers = Array.from({ length: 3000 }, (_, i) => Buffer.from(`frame ${i};`));
        guest.send(...buffers);
        const all = Buffer.concat(buffers);
        assert.ok((await receiveAll(host, all.length)).equals(all));
      }),
    );

    it(
      "reads nothing while paused, and loses nothing",
      withChannel(async ({ guest, host }) => {
        await guest.saw("attached");
        guest.port.pause();
        const bytes = randomBytes(3000);
        host.send(bytes);
        // The answer of the other direction shows that the bytes have had their time to come.
        guest.send(Buffer.from("x"));
        await receiveAll(host, 1);
        assert.equal(guest.receivedBytes, 0);
        guest.port.resume();
        assert.ok((await guest.received(bytes.length)).equals(bytes));
      }),
    );

    it(
      "gives the last bytes of a host that sends and goes",
      withChannel(async ({ guest, host, onHostClose }) => {
        await guest.saw("attached");
        const bytes = randomBytes(2000);
        host.send(bytes);
        await until("the bytes to come", () => guest.receivedBytes === bytes.length);
        host.close();
        if (onHostClose === "away") await guest.saw("attached", "away");
        else await guest.saw("attached", "away", "closed: ended");
        assert.ok((await guest.received(bytes.length)).equals(bytes));
      }),
    );

    it(
      "says nothing after close, and may be closed twice",
      withChannel(async ({ guest, host }) => {
        await guest.saw("attached");
        guest.port.close();
        guest.port.close();
        assert.equal(guest.port.write([Buffer.from("late")]), 0);
        host.close();
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(guest.events, ["attached"]);
      }),
    );
  });
}
