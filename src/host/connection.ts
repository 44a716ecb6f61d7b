import { type Socket, createConnection } from "node:net";
import { type AgentMessage, type Envelope, decodeEnvelope, encodeFrame } from "../wire/envelope.ts";
import { FrameDecoder } from "../wire/frame-decoder.ts";
import type { Framing } from "../wire/frame.ts";
import { HostError } from "./errors.ts";

export interface ConnectionEvents {
  message(message: AgentMessage): void;
  /** Comes once, and last. */
  closed(error: HostError): void;
}

/** With so much waiting for the other side, streams send nothing more until it has gone. */
const congestedBytes = 256 * 1024;

/** One connection to the socket that QEMU serves for a VM: frames in, frames out. */
export class Connection {
  /** How frames to the other side are framed. */
  readonly framing: Framing;
  readonly #socket: Socket;
  #receivedBytes = 0;
  #corked = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket, framing: Framing, events: ConnectionEvents) {
    this.#socket = socket;
    this.framing = framing;
    const decoder = new FrameDecoder<AgentMessage>({
      decode: decodeEnvelope,
      onMessage: (message) => {
        events.message(message);
      },
      // The rest of a frame begun for an earlier client, or one cut by an agent's end: nothing of ours.
      onGarbage: () => undefined,
    });
    let cause: Error | undefined;
    socket.on("data", (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      decoder.push(chunk);
    });
    socket.on("error", (error) => (cause = error));
    socket.on("drain", () => {
      this.#relieve();
    });
    socket.on("close", () => {
      this.#waiting = [];
      decoder.reset();
      const why =
        cause === undefined ? "the VM stopped, or its host daemon took the socket away" : cause.message;
      events.closed(new HostError("connection-lost", `the connection ended: ${why}`, { cause }));
    });
  }

  /** Connects; rejects with a HostError that says what to do. */
  static async open(
    path: string,
    framing: Framing,
    events: ConnectionEvents,
    signal: AbortSignal,
  ): Promise<Connection> {
    const socket = createConnection({ path });
    try {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => {
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", abort, { once: true });
        socket.once("connect", () => {
          signal.removeEventListener("abort", abort);
          resolve();
        });
        socket.once("error", (error) => {
          signal.removeEventListener("abort", abort);
          reject(connectError(path, error));
        });
        if (signal.aborted) abort();
      });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket.removeAllListeners("error");
    return new Connection(socket, framing, events);
  }

  /** Whether the other side has ever said anything. */
  get heardAnything(): boolean {
    return this.#receivedBytes > 0;
  }

  /** Sends a message; those sent in one turn leave in one write. */
  send(envelope: Envelope): void {
    this.sendFrame(encodeFrame(this.framing, envelope));
  }

  /**
   * Sends a frame, or a part of one behind which the rest is sent at once. The memory is not to be changed before `taken`,
   * which is called when the socket has it, or the connection has ended.
   */
  sendFrame(frame: Buffer, taken?: () => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frame, taken);
  }

  /** The other side reads slower than is sent to it. */
  get congested(): boolean {
    return this.#socket.writableLength > congestedBytes;
  }

  /** Calls back once, in the order of asking, when it is congested no more; never when it ends before. */
  whenRelieved(callback: () => void): void {
    this.#waiting.push(callback);
  }

  close(): void {
    this.#socket.destroy();
  }

  #relieve(): void {
    // Each may congest it again, and those behind it have their turn before it has another.
    while (!this.congested) {
      const callback = this.#waiting.shift();
      if (callback === undefined) return;
      callback();
    }
  }
}

function connectError(path: string, cause: NodeJS.ErrnoException): HostError {
  switch (cause.code) {
    case "ENOENT":
      return new HostError(
        "not-found",
        `there is no socket ${path}: is the VM running, with a channel for the agent?`,
        { cause },
      );
    case "EACCES":
    case "EPERM":
      return new HostError(
        "permission-denied",
        `not allowed to open ${path}; try as root or a member of its group`,
        { cause },
      );
    case "ECONNREFUSED":
      return new HostError("not-running", `nobody serves ${path}: the VM that made it has stopped`, {
        cause,
      });
    case "EAGAIN":
      return new HostError(
        "busy",
        `${path} is taken by another client, and others wait; only one at a time is served`,
        { cause },
      );
    case "ENOTSOCK":
      return new HostError("not-found", `${path} is not a socket`, { cause });
    default:
      return new HostError("connection-lost", `cannot connect to ${path}: ${cause.message}`, { cause });
  }
}
