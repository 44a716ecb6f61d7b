import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "valibot";
import { Agent } from "../../src/agent/agent.ts";
import { Audit } from "../../src/agent/audit/audit.ts";
import { configSchema } from "../../src/agent/config/schema.ts";
import { keepLink } from "../../src/agent/link.ts";
import type { Log } from "../../src/agent/log.ts";
import { congestedBytes } from "../../src/agent/session/responder.ts";
import { lastMomentsMs } from "../../src/agent/session/session.ts";
import { Telemetry } from "../../src/agent/telemetry/telemetry.ts";
import { Port } from "../../src/agent/transport/port.ts";
import type { Transport } from "../../src/agent/transport/transport.ts";
import { type AgentMessage, type Envelope, decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";
import { FakeVirtioPort } from "../support/fake-virtio-port.ts";
import { quietSampler } from "../support/quiet-sampler.ts";
import { until } from "../support/until.ts";

const silent = (): void => undefined;
const log: Log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

/** The agent on a fake virtio port. */
function setUp() {
  const ports: FakeVirtioPort[] = [];
  const transport: Transport = {
    description: "fake",
    open: (events) =>
      Promise.resolve(
        new Port((onEvents) => {
          const fake = new FakeVirtioPort(onEvents);
          ports.push(fake);
          return fake;
        }, events),
      ),
    close: silent,
  };
  const config = parse(configSchema, { frame_timeout_secs: 1 });
  const telemetry = new Telemetry(
    () => quietSampler(),
    { intervalSeconds: 3600, excludeInterfaces: [] },
    log,
  );
  const stop = new AbortController();
  const running = keepLink(
    new Agent(config, telemetry, new Audit(undefined), log),
    transport,
    log,
    stop.signal,
  );
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { ports, end };
}

/** A host on the fake port: what it receives, decoded. */
function host(fake: FakeVirtioPort) {
  const received: AgentMessage[] = [];
  let skippedBytes = 0;
  const decoder = new FrameDecoder<AgentMessage>({
    decode: decodeEnvelope,
    onMessage: (message) => void received.push(message),
    onGarbage: (bytes) => (skippedBytes += bytes),
  });
  const read = (): void => {
    decoder.push(fake.receive());
  };
  const until_ = (what: string, found: (message: AgentMessage) => boolean): Promise<AgentMessage> =>
    until(what, () => {
      read();
      return received.find(found);
    });
  return {
    received,
    skipped: () => skippedBytes,
    send: (envelope: Envelope) => {
      fake.send(encodeFrame("plain", envelope));
    },
    answer: (id: string) => until_(`the answer to ${id}`, (message) => message.messageId === id),
    greeting: () => until_("agent_ready", (message) => message.agentReady !== null),
  };
}

describe("link", () => {
  it("answers a host that connects and sends at once, and greets it", async () => {
    const { ports, end } = setUp();
    const fake = await until("the port", () => ports[0]);
    const first = host(fake);
    first.send({ messageId: "at once", ping: { sequence: 1 } });
    fake.connect();
    assert.ok((await first.answer("at once")).pong);
    await first.greeting();
    await end();
  });

  it("gives a new host nothing of the one before: no reply, no half frame, no telemetry", async () => {
    const { ports, end } = setUp();
    const fake = await until("the port", () => ports[0]);
    fake.connect();
    const first = host(fake);
    await first.greeting();
    // Half a request, and thousands whose answers the host never reads.
    for (let i = 0; i < 5000; i++)
      first.send({ messageId: `first host's request number ${i}`, ping: { sequence: i } });
    fake.send(
      encodeFrame("plain", { messageId: "half", fileWrite: { data: Buffer.alloc(9000) } }).subarray(0, 5000),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    fake.disconnect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    fake.connect();
    const second = host(fake);
    second.send({ messageId: "second", ping: { sequence: 2 } });
    assert.ok((await second.answer("second")).pong);
    assert.equal(second.skipped(), 0);
    await until("telemetry", () => {
      second.send({ messageId: "again", ping: { sequence: 3 } });
      return second.answer("again").then(() => second.received.some(({ telemetry }) => telemetry));
    });
    const payloads = second.received
      .filter(({ messageId }) => messageId !== "again")
      .map(({ payload }) => payload);
    assert.deepEqual(payloads.sort(), ["agentReady", "pong", "telemetry"]);
    await end();
  });

  it("stops reading from a host that does not read, and goes on when it does", async () => {
    const { ports, end } = setUp();
    const fake = await until("the port", () => ports[0]);
    fake.connect();
    const slow = host(fake);
    await slow.greeting();
    const question = encodeFrame("plain", { messageId: "x".repeat(1000), ping: { sequence: 1 } });
    const many = Math.ceil((4 * congestedBytes) / question.length);
    for (let i = 0; i < many; i++) fake.send(question);
    slow.send({ messageId: "the last", ping: { sequence: 3 } });
    assert.ok((await slow.answer("the last")).pong);
    assert.equal(slow.received.filter(({ messageId }) => messageId.startsWith("xxx")).length, many);
    await end();
  });

  it("does not keep a stalled host's backlog for the next", async () => {
    const { ports, end } = setUp();
    const fake = await until("the port", () => ports[0]);
    fake.connect();
    const stalled = host(fake);
    await stalled.greeting();
    const question = encodeFrame("plain", { messageId: "y".repeat(1000), ping: { sequence: 1 } });
    for (let i = 0; i < (3 * congestedBytes) / question.length; i++) fake.send(question);
    let unread = -1;
    await until("the agent to read no more", () => {
      const before = unread;
      unread = fake.unreadBytes;
      return unread === before;
    });
    assert.ok(unread > 0);
    // Its last answers would else count as those of the last moments, which a host that is back at once may get.
    const longAgo = performance.now() + lastMomentsMs + 1;
    await until("the last moments to pass", () => performance.now() > longAgo);
    fake.disconnect();
    await until("the agent to see it", () => fake.unreadBytes === 0);
    fake.connect();
    const next = host(fake);
    next.send({ messageId: "next", ping: { sequence: 1 } });
    assert.ok((await next.answer("next")).pong);
    assert.equal(next.received.filter(({ messageId }) => messageId.startsWith("yyy")).length, 0);
    await end();
  });

  it("opens the port again when it was unplugged", async () => {
    const { ports, end } = setUp();
    const fake = await until("the port", () => ports[0]);
    fake.connect();
    await host(fake).greeting();
    fake.unplug();
    const again = await until("a second port", () => ports[1]);
    again.connect();
    await host(again).greeting();
    await end();
  });
});
