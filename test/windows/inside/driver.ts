// Run by node.exe, with an addon whose ports are over a driver that is played with: what it does is in its header.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addon } from "../../../src/native/addon.ts";
import type { RawPort } from "../../../src/native/port.ts";
import { portContract } from "../../support/port-contract.ts";
import { PortProbe } from "../../support/port-probe.ts";
import { until } from "../../support/until.ts";

interface DriverState {
  reads: number;
  writes: number;
  queries: number;
  mostReads: number;
  mostWrites: number;
  refusedReads: number;
  refusedWrites: number;
  cancelled: number;
  largestWrite: number;
  isOpen: boolean;
  isWriting: boolean;
}

interface FakeDriver {
  /** `tell: false`: the change is not told. */
  connect(tell?: boolean): void;
  disconnect(tell?: boolean): void;
  /** One host goes and another is there at once: twice it is told that there is one. */
  replace(): void;
  send(bytes: Uint8Array): void;
  receive(): Buffer;
  unplug(): void;
  behave(how: { tells?: boolean; queueFull?: boolean; nameBytes?: number; refuseAbove?: number }): void;
  state(): DriverState;
}

interface TestAddon {
  Port: new (source: { driver: FakeDriver }, onEvents: (mask: number) => void) => RawPort;
  FakeDriver: new () => FakeDriver;
}
const { Port, FakeDriver } = addon as unknown as TestAddon;

type Behaviour = Parameters<FakeDriver["behave"]>[0];

function open(how: Behaviour = {}, { attached = true } = {}): { driver: FakeDriver; guest: PortProbe } {
  const driver = new FakeDriver();
  driver.behave(how);
  if (attached) driver.connect(false);
  return { driver, guest: new PortProbe((onEvents) => new Port({ driver }, onEvents)) };
}

const text = async (guest: PortProbe, count: number): Promise<string> =>
  (await guest.received(count)).toString();

/** What the host gets, until it has so many bytes. */
async function receive(driver: FakeDriver, count: number): Promise<Buffer> {
  let all = Buffer.alloc(0);
  await until(`${count} bytes at the host`, () => {
    all = Buffer.concat([all, driver.receive()]);
    return all.length >= count;
  });
  return all;
}

/** All that goes on has had its time: nothing is called while this passes. */
const aWhile = (ms = 300): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (const tells of [true, false]) {
  portContract(`driver that tells ${tells ? "of hosts" : "nothing"}`, async () => {
    const { driver, guest } = open({ tells });
    await guest.saw("attached");
    const host = {
      send: (bytes: Buffer) => {
        driver.send(bytes);
      },
      receive: () => driver.receive(),
      close: () => {
        driver.disconnect();
      },
    };
    const close = (): void => {
      guest.port.close();
    };
    return { guest, host, onHostClose: "away", close };
  });
}

describe("the driver of virtio ports", () => {
  it("refuses reads without a host: nothing spins, and the next host is served", async () => {
    const { driver, guest } = open({}, { attached: false });
    await until("a read to be refused", () => driver.state().refusedReads > 0);
    await until("the state to be asked for", () => driver.state().queries > 0);
    const before = driver.state();
    await aWhile();
    assert.deepEqual(driver.state(), before, "no call while nobody is there");
    driver.connect();
    driver.send(Buffer.from("hello"));
    assert.equal(await text(guest, 5), "hello");
    assert.deepEqual(guest.events, ["attached"]);
    guest.port.close();
  });

  it("is looked at now and then where hosts are not told of", async () => {
    const { driver, guest } = open({ tells: false }, { attached: false });
    await aWhile(1_000);
    const { reads, queries } = driver.state();
    assert.ok(reads + queries < 20, `${reads} reads and ${queries} queries in a second`);
    driver.connect();
    await guest.saw("attached");
    driver.disconnect();
    await guest.saw("attached", "away");
    driver.connect();
    driver.send(Buffer.from("again"));
    assert.equal(await text(guest, 5), "again");
    guest.port.close();
  });

  it("keeps a read pending from one host to the next, whose bytes are told apart", async () => {
    const { driver, guest } = open();
    driver.send(Buffer.from("first"));
    assert.equal(await text(guest, 5), "first");
    await until("the read to wait", () => driver.state().reads > 1);
    const { reads } = driver.state();
    driver.disconnect();
    await guest.saw("attached", "away");
    driver.connect();
    driver.send(Buffer.from("second"));
    assert.equal(await text(guest, 6), "second");
    assert.deepEqual(guest.events, ["attached", "away", "attached"]);
    assert.ok(driver.state().reads >= reads);
    assert.equal(driver.state().cancelled, 0);
    guest.port.close();
  });

  it("gives the next host's bytes behind its coming, though they come before it", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    driver.disconnect();
    await guest.saw("attached", "away");
    driver.connect(false);
    driver.send(Buffer.from("early"));
    assert.equal(await text(guest, 5), "early");
    assert.deepEqual(guest.events, ["attached", "away", "attached"]);
    guest.port.close();
  });

  it("tells of a host that was replaced at once", async () => {
    const { driver, guest } = open();
    driver.send(Buffer.from("first"));
    await guest.received(5);
    driver.replace();
    driver.send(Buffer.from("second"));
    assert.equal(await text(guest, 6), "second");
    assert.deepEqual(guest.events, ["attached", "away", "attached"]);
    guest.port.close();
  });

  it("has what was for a host that has gone dropped, and each host gets its own", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    guest.send(Buffer.alloc(100_000, "a"));
    await until("a write to be under way", () => driver.state().isWriting);
    driver.disconnect();
    await guest.saw("attached", "away");
    assert.equal(guest.port.write([Buffer.from("nobody")]), 0);
    driver.connect();
    await guest.saw("attached", "away", "attached");
    // The probe has kept what the port did not take; only that may come.
    guest.send(Buffer.from("b"));
    const all = await receive(driver, guest.unsentBytes + 1);
    assert.ok(!all.toString().includes("nobody"));
    assert.equal(all.at(-1), "b".charCodeAt(0));
    guest.port.close();
  });

  it("refuses writes while its queue is full: not a byte is lost, and nothing spins", async () => {
    const { driver, guest } = open({ queueFull: true });
    await guest.saw("attached");
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    guest.send(bytes);
    await until("a write to be refused", () => driver.state().refusedWrites > 0);
    const { writes } = driver.state();
    await aWhile(1_000);
    const more = driver.state().writes - writes;
    assert.ok(more < 30, `${more} tries in a second`);
    driver.behave({ queueFull: false });
    assert.ok((await receive(driver, bytes.length)).equals(bytes));
    guest.port.close();
  });

  it("gets one write at a time, of 64 KiB at most, and smaller ones when it has no memory", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => i % 249));
    guest.send(bytes);
    assert.ok((await receive(driver, bytes.length)).equals(bytes));
    const { mostWrites, mostReads, largestWrite } = driver.state();
    assert.deepEqual(
      { mostWrites, mostReads, largestWrite },
      { mostWrites: 1, mostReads: 1, largestWrite: 65_536 },
    );
    driver.behave({ refuseAbove: 10_000 });
    guest.send(bytes);
    assert.ok((await receive(driver, bytes.length)).equals(bytes));
    guest.port.close();
  });

  it("gives 4 KiB at a time, of which all come in order", async () => {
    const { driver, guest } = open();
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 253));
    driver.send(bytes);
    assert.ok((await guest.received(bytes.length)).equals(bytes));
    guest.port.close();
  });

  it("does not give a paused port's old bytes to the next host", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    guest.port.pause();
    driver.send(Buffer.alloc(2_000_000, "o")); // more than waits here: the rest is with the driver
    const quiet = async (): Promise<boolean> => {
      const { reads } = driver.state();
      await aWhile(50);
      return driver.state().reads === reads;
    };
    await until("reading to stop", quiet);
    driver.disconnect();
    await guest.saw("attached", "away");
    await until("what it left to be read", quiet);
    driver.connect();
    driver.send(Buffer.from("new"));
    assert.equal(await text(guest, 3), "new");
    guest.port.close();
  });

  it("tells the state to who has room for the port's name", async () => {
    const { driver, guest } = open({ nameBytes: 3_000 });
    await guest.saw("attached");
    driver.send(Buffer.from("x"));
    assert.equal(await text(guest, 1), "x");
    guest.port.close();
  });

  it("is let go of within a second, though a write does not end", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    guest.send(Buffer.alloc(50_000));
    await until("the write to be under way", () => driver.state().isWriting);
    const before = performance.now();
    guest.port.close();
    assert.ok(performance.now() - before < 50, "closing waits for nothing");
    await until("the device to be closed", () => !driver.state().isOpen);
    assert.ok(performance.now() - before < 1_500);
    assert.equal(driver.state().isWriting, true);
    assert.equal(driver.receive().length, 50_000, "its memory was not given back meanwhile");
    const again = new PortProbe((onEvents) => new Port({ driver }, onEvents));
    await again.saw("attached");
    again.port.close();
  });

  it("has what was taken before the end, when the host reads it", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    guest.send(Buffer.alloc(100_000, "e"));
    guest.port.close();
    assert.equal((await receive(driver, 100_000)).length, 100_000);
    await until("the device to be closed", () => !driver.state().isOpen);
  });

  it("is let go of when it is to be removed, and that is told", async () => {
    const { driver, guest } = open();
    await guest.saw("attached");
    driver.unplug();
    await guest.saw("attached", "away", "closed: unplugged");
    await until("the device to be closed", () => !driver.state().isOpen);
  });

  it("is held by one at a time", () => {
    const { driver, guest } = open();
    assert.throws(() => new Port({ driver }, () => undefined), { code: "EBUSY" });
    guest.port.close();
  });

  it("outlives two hundred hosts and a hundred openings without a call that stays", async () => {
    const { driver, guest } = open();
    for (let i = 1; i <= 200; i++) {
      await until("attached", () => guest.events.length === 2 * i - 1);
      driver.send(Buffer.from("x"));
      await guest.received(1);
      driver.disconnect();
      await until("away", () => guest.events.length === 2 * i);
      driver.connect();
    }
    guest.port.close();
    for (let i = 0; i < 100; i++) {
      await until("the device to be closed", () => !driver.state().isOpen);
      const next = new PortProbe((onEvents) => new Port({ driver }, onEvents));
      await next.saw("attached");
      next.port.close();
    }
  });
});
