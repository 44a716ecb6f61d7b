import { codeText } from "../../wire/errors.ts";
import { Backlog } from "../backlog.ts";
import { HostError, agentError } from "../errors.ts";
import type { Message } from "../messages.ts";
import type { Session } from "../session.ts";
import type { Stream } from "../streams.ts";
import { deferred } from "../waiting.ts";
import type { ByteSource } from "./source.ts";
import { StallTimer } from "./stall-timer.ts";
import { Window } from "./window.ts";

/** From the guest: agent.proto, StreamData. */
const fromGuest = 1;

/** A transfer that has begun. */
export interface IncomingFacts {
  streamId: string;
  /** Of the request that began it. */
  messageId: string;
  /** For messages: the path. */
  what: string;
  /** Fixed; undefined for one that grows. */
  windowBytes: number | undefined;
  signal: AbortSignal | undefined;
  /** See StallOptions. */
  stallTimeoutSeconds?: number | undefined;
  /** Called when it has failed, also while nobody waits in next(). */
  onFail?: ((error: HostError) => void) | undefined;
}

type End = Omit<Message<"transferEnded">, "streamId" | "error" | "sha256"> & { sha256: Buffer };

/** The host's end of file_get and tree_get. Holds no more than the window, whatever the guest does. */
export class Incoming implements ByteSource, Stream {
  readonly #session: Session;
  readonly #facts: IncomingFacts;
  readonly #window: Window;
  readonly #backlog = new Backlog();
  readonly #stall: StallTimer;
  readonly #abort = (): void => {
    this.#giveUp(
      new HostError("aborted", `reading ${this.#facts.what} was given up`, {
        cause: this.#facts.signal?.reason,
      }),
    );
  };
  #receivedBytes = 0;
  #end: End | undefined;
  #error: HostError | undefined;
  /** next() has given all of it, and told the end. */
  #drained = false;
  #more = deferred<undefined>();

  /** Throws a HostError when the agent gave it an id that is none. */
  constructor(session: Session, facts: IncomingFacts) {
    const { streamId, signal } = facts;
    this.#session = session;
    this.#facts = facts;
    this.#window = new Window(facts.windowBytes, (bytes) => {
      if (this.#isOpen) session.send({ streamCredit: { streamId, channel: fromGuest, bytes } });
    });
    this.#stall = new StallTimer(facts.stallTimeoutSeconds, `reading ${facts.what}`, (error) => {
      this.#giveUp(error);
    });
    try {
      session.streams.open(streamId, this);
    } catch (error) {
      session.cancel(facts.messageId);
      throw error;
    }
    signal?.addEventListener("abort", this.#abort, { once: true });
    if (signal?.aborted) this.#abort();
  }

  /** What the agent said at the end. */
  get end(): End {
    if (this.#end === undefined) throw new Error(`reading ${this.#facts.what} has not ended`);
    return this.#end;
  }

  async next(mostBytes: number): Promise<Buffer[] | undefined> {
    for (;;) {
      if (this.#error) throw this.#error;
      const pieces = this.#backlog.take(mostBytes);
      if (pieces.length > 0) return pieces;
      if (this.#end) {
        this.#drained = true;
        this.#stopListening();
        return undefined;
      }
      this.#window.starved();
      await this.#stall.watch(this.#more.promise);
      this.#more = deferred();
    }
  }

  taken(bytes: number): void {
    if (this.#isOpen) this.#window.take(bytes);
  }

  close(): void {
    this.#giveUp(new HostError("aborted", `reading ${this.#facts.what} was given up`));
  }

  data(channel: number, bytes: Buffer): void {
    const { what } = this.#facts;
    if (channel !== fromGuest) {
      this.#giveUp(new HostError("agent-error", `the agent sent ${what} on channel ${channel}`));
    } else if (!this.#window.receive(bytes.length)) {
      const text = `the agent sent ${bytes.length} bytes of ${what} for which it had no credit`;
      this.#giveUp(new HostError("agent-error", text));
    } else if (bytes.length > 0) {
      this.#receivedBytes += bytes.length;
      this.#backlog.push(bytes);
      this.#more.resolve(undefined);
    }
  }

  credit(): void {
    this.#giveUp(
      new HostError("agent-error", `the agent gave credit for ${this.#facts.what}, which it sends`),
    );
  }

  ended({ error, bytes, sha256, skipped, skippedCount }: Message<"transferEnded">): void {
    if (error !== "") {
      this.fail(agentError(error));
    } else if (bytes !== this.#receivedBytes) {
      const text = `the agent says that it sent ${bytes} bytes of ${this.#facts.what}; ${this.#receivedBytes} came`;
      this.fail(new HostError("agent-error", text));
    } else {
      this.#end = { bytes, sha256: Buffer.from(sha256), skipped, skippedCount };
      this.#session.streams.close(this.#facts.streamId);
      this.#more.resolve(undefined);
    }
  }

  /** The transfer is no more. */
  fail(error: HostError): void {
    if (this.#error || this.#drained) return;
    this.#error = error;
    this.#backlog.clear();
    this.#session.streams.close(this.#facts.streamId);
    this.#stopListening();
    this.#more.resolve(undefined);
    this.#facts.onFail?.(error);
  }

  /** The agent may still send. */
  get #isOpen(): boolean {
    return this.#error === undefined && this.#end === undefined;
  }

  #giveUp(error: HostError): void {
    const agentIsAtIt = this.#isOpen;
    this.fail(error);
    if (agentIsAtIt) this.#session.cancel(this.#facts.messageId);
  }

  #stopListening(): void {
    this.#facts.signal?.removeEventListener("abort", this.#abort);
  }
}

/** The error for a file that is not what it was: as agents with transfers have it. */
export function changedError(path: string): HostError {
  const agentCode = codeText("fileChanged");
  return new HostError("agent-error", `${agentCode} ${path} has changed`, { agentCode });
}
