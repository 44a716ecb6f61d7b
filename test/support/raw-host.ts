import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { type AgentMessage, type Envelope, decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";
import type { Framing } from "../../src/wire/frame.ts";
import { until } from "./until.ts";

/** A host of an earlier generation: it knows frames and messages and no session, and sends whatever it is told. */
export class RawHost {
  readonly received: { message: AgentMessage; framing: Framing }[] = [];
  skippedBytes = 0;
  readonly #socket: Socket;
  #counter = 0;
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder<AgentMessage>({
      decode: decodeEnvelope,
      onMessage: (message, framing) => void this.received.push({ message, framing }),
      onGarbage: (bytes) => (this.skippedBytes += bytes),
    });
    socket.on("data", (chunk: Buffer) => {
      decoder.push(chunk);
    });
    socket.on("error", () => undefined); // the tests look at `closed`
    socket.on("close", () => (this.closed = true));
  }

  static async connect(path: string): Promise<RawHost> {
    const socket = await until(`a connection to ${path}`, async () => {
      const attempt = createConnection(path);
      try {
        await once(attempt, "connect");
        return attempt;
      } catch {
        return false;
      }
    });
    return new RawHost(socket);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  send(envelope: Envelope, framing: Framing = "plain"): void {
    this.write(encodeFrame(framing, envelope));
  }

  /** Reads nothing more until resume(). */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The one answer to a request. */
  async ask(envelope: Envelope, framing: Framing = "plain", deadlineMs = 10_000): Promise<AgentMessage> {
    const messageId = envelope.messageId ?? `ask-${++this.#counter}-${process.pid}`;
    this.send({ ...envelope, messageId }, framing);
    return until(`the answer to ${messageId}`, () => this.answersTo(messageId)[0], deadlineMs);
  }

  answersTo(messageId: string): AgentMessage[] {
    return this.received
      .filter(({ message }) => message.messageId === messageId)
      .map(({ message }) => message);
  }

  async until(payload: keyof AgentMessage, deadlineMs?: number): Promise<AgentMessage> {
    const find = (): AgentMessage | undefined =>
      this.received.find(({ message }) => message[payload])?.message;
    return until(`a message with ${payload}`, find, deadlineMs);
  }

  close(): void {
    this.#socket.destroy();
  }
}
