import { maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import { checkAnswer } from "../commands/answer.ts";
import { HostError, agentError } from "../errors.ts";
import type { Message } from "../messages.ts";
import type { Session } from "../session.ts";
import type { Stream } from "../streams.ts";
import { deferred } from "../waiting.ts";
import { StallTimer } from "./stall-timer.ts";

/** To the guest: agent.proto, StreamData. */
const toGuest = 0;

/** A transfer that has begun. */
export interface OutgoingFacts {
  streamId: string;
  /** Of the request that began it. */
  messageId: string;
  /** For messages: the path. */
  what: string;
  /** Credit to begin with. */
  windowBytes: number;
  signal: AbortSignal | undefined;
  /** See StallOptions. */
  stallTimeoutSeconds?: number | undefined;
  /** Called when it has failed, also while nothing is sent. */
  onFail?: ((error: HostError) => void) | undefined;
}

/** The host's end of file_put and tree_put. Sends no more than there is credit for, and nothing while the socket is full. */
export class Outgoing implements Stream {
  readonly #session: Session;
  readonly #facts: OutgoingFacts;
  readonly #abort = (): void => {
    this.#giveUp(
      new HostError("aborted", `writing ${this.#facts.what} was given up`, {
        cause: this.#facts.signal?.reason,
      }),
    );
  };
  /** With less credit more is waited for, lest every window end in a small piece. */
  readonly #leastCreditBytes: number;
  readonly #stall: StallTimer;
  #creditBytes: number;
  #waitsForSocket = false;
  #error: HostError | undefined;
  #committed = false;
  /** Something has changed that a send waits for. */
  #wake = deferred<undefined>();
  /** The socket has all of what is sent, or never will. */
  #lastTaken = deferred<undefined>();
  readonly #failed = deferred<never>();

  /** Throws a HostError when the agent gave it an id that is none. */
  constructor(session: Session, facts: OutgoingFacts) {
    this.#session = session;
    this.#facts = facts;
    this.#creditBytes = facts.windowBytes;
    this.#leastCreditBytes = Math.max(1, Math.floor(facts.windowBytes / 4));
    this.#stall = new StallTimer(facts.stallTimeoutSeconds, `writing ${facts.what}`, (error) => {
      this.#giveUp(error);
    });
    try {
      session.streams.open(facts.streamId, this);
    } catch (error) {
      session.cancel(facts.messageId);
      throw error;
    }
    facts.signal?.addEventListener("abort", this.#abort, { once: true });
    if (facts.signal?.aborted) this.#abort();
  }

  /**
   * Sends data, at most maxStreamDataBytes, that is in `buffer` at streamDataHeadBytes; resolves when it is on its way.
   * `buffer` is not to be changed before `taken`, which is called in any case. Rejects with why the transfer has ended.
   */
  async sendInPlace(buffer: Buffer, dataBytes: number, taken: () => void): Promise<void> {
    try {
      const room = this.#room(dataBytes) || (await this.#waitForRoom(dataBytes));
      if (room >= dataBytes) {
        this.#creditBytes -= dataBytes;
        this.#session.sendInPlace(this.#facts.streamId, toGuest, buffer, dataBytes, taken);
        return;
      }
    } catch (error) {
      taken();
      throw error;
    }
    // A window smaller than a piece: it goes in several.
    await this.send(buffer.subarray(streamDataHeadBytes, streamDataHeadBytes + dataBytes)).finally(taken);
  }

  /** Sends data that is not changed before it resolves. Rejects at once with why the transfer has ended. */
  async send(data: Buffer): Promise<void> {
    const lastTaken = deferred<undefined>();
    this.#lastTaken = lastTaken;
    for (let rest = data; rest.length > 0;) {
      const wanted = Math.min(rest.length, maxStreamDataBytes);
      const count = this.#room(wanted) || (await this.#waitForRoom(wanted));
      this.#creditBytes -= count;
      const isLast = count === rest.length;
      this.#session.sendAside(this.#facts.streamId, toGuest, rest.subarray(0, count), () => {
        if (isLast) lastTaken.resolve(undefined);
      });
      rest = rest.subarray(count);
    }
    if (data.length > 0) await this.#stall.watch(lastTaken.promise);
    if (this.#error) throw this.#error;
  }

  /** All is sent. Resolves when the guest has it in its place; rejects with a HostError when nothing has changed there. */
  async commit(totalBytes: number, sha256?: Buffer): Promise<Message<"transferCommitResponse">> {
    if (this.#error) throw this.#error;
    const { streamId } = this.#facts;
    const request = { streamId, totalBytes, ...(sha256 && { sha256 }) };
    try {
      const answer = this.#session.ask(
        "transferCommit",
        request,
        { timeoutSeconds: Infinity },
        (response) => {
          this.#committed = true;
          this.#finish();
          return response;
        },
      );
      answer.catch(() => undefined); // when the transfer fails first
      const response = await this.#stall.watch(Promise.race([answer, this.#failed.promise]));
      checkAnswer(response);
      return response;
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  /** Gives it up, unless it is committed. Idempotent. */
  cancel(): void {
    this.#giveUp(new HostError("aborted", `writing ${this.#facts.what} was given up`));
  }

  data(): void {
    this.#giveUp(new HostError("agent-error", `the agent sent data of ${this.#facts.what}, which it takes`));
  }

  credit(channel: number, bytes: number): void {
    if (channel !== toGuest) return;
    this.#creditBytes = Math.min(this.#creditBytes + bytes, Number.MAX_SAFE_INTEGER);
    this.#wake.resolve(undefined);
  }

  ended({ error }: Message<"transferEnded">): void {
    this.fail(
      agentError(error || `the agent ended the transfer of ${this.#facts.what}, and did not say why`),
    );
  }

  /** The transfer is no more. */
  fail(error: HostError): void {
    if (this.#error || this.#committed) return;
    this.#error = error;
    this.#finish();
    this.#failed.reject(error);
    this.#wake.resolve(undefined);
    this.#lastTaken.resolve(undefined); // a socket that nobody reads takes nothing any more
    this.#facts.onFail?.(error);
  }

  #giveUp(error: HostError): void {
    if (this.#error || this.#committed) return;
    this.fail(error);
    this.#session.cancel(this.#facts.messageId);
  }

  #finish(): void {
    this.#session.streams.close(this.#facts.streamId);
    this.#facts.signal?.removeEventListener("abort", this.#abort);
  }

  /** How much of so many bytes may be sent now; 0 for nothing. */
  #room(wantedBytes: number): number {
    if (this.#error) throw this.#error;
    if (this.#creditBytes < Math.min(wantedBytes, this.#leastCreditBytes)) return 0;
    return this.#socketIsFull() ? 0 : Math.min(wantedBytes, this.#creditBytes);
  }

  async #waitForRoom(wantedBytes: number): Promise<number> {
    for (;;) {
      await this.#stall.watch(this.#wake.promise);
      this.#wake = deferred();
      const room = this.#room(wantedBytes);
      if (room > 0) return room;
    }
  }

  /** Wakes a send that waits when it is not. */
  #socketIsFull(): boolean {
    if (this.#waitsForSocket) return true;
    if (!this.#session.congested) return false;
    this.#waitsForSocket = true;
    this.#session.whenRelieved(() => {
      this.#waitsForSocket = false;
      this.#wake.resolve(undefined);
    });
    return true;
  }
}
