import { type AgentMessage, type Envelope, timestamp } from "../wire/envelope.ts";
import { type RequestFields, type RequestName, type ResponseName, responseOf } from "../wire/operations.ts";
import { messageIdOf, newSessionId } from "../wire/session-id.ts";
import { frameStreamData, streamDataHeadBytes } from "../wire/stream-frame.ts";
import { type CallOptions, Calls } from "./calls.ts";
import type { Connection } from "./connection.ts";
import { HostError, agentError } from "./errors.ts";
import type { Message } from "./messages.ts";
import type { Terms } from "./negotiate.ts";
import { plain } from "./plain.ts";
import { Streams } from "./streams.ts";

export interface RequestOptions extends CallOptions {
  /** When the call is given up, by its signal or at its deadline, the agent is told; true where it must not go on. */
  cancel?: boolean | undefined;
}

/**
 * The conversation with one agent: from the first exchange on a connection until the connection goes, or the agent is
 * started anew. Calls and streams end with it.
 */
export class Session {
  readonly terms: Terms;
  readonly streams = new Streams();
  readonly #connection: Connection;
  readonly #calls = new Calls();
  readonly #idPrefix: string;
  #counter = 0;
  #ended: HostError | undefined;

  constructor(connection: Connection, terms: Terms) {
    this.#connection = connection;
    this.terms = terms;
    this.#idPrefix = terms.mode === "session" ? terms.sessionId : newSessionId();
  }

  /** Whether the agent has announced this operation or extension. Agents without sessions have no extensions. */
  supports(capability: string): boolean {
    return this.terms.mode === "session" && this.terms.features.includes(capability);
  }

  /** Throws a HostError when the agent has not announced what `what` needs. */
  require(capability: string, what: string): void {
    if (this.supports(capability)) return;
    const agent = `the agent in the guest (version ${this.terms.agentVersion || "unknown"})`;
    throw new HostError("not-supported", `${what} needs "${capability}", which ${agent} does not have`);
  }

  /** Sends one request and gives its response as the protocol has it, `error` field included. */
  request<R extends RequestName>(
    name: R,
    request: RequestFields<R>,
    options: RequestOptions = {},
  ): Promise<Message<ResponseName<R>>> {
    return this.ask(name, request, options, (response) => response);
  }

  /** As request(), and gives what `read` makes of the response, in the turn in which it comes. */
  async ask<R extends RequestName, T>(
    name: R,
    request: RequestFields<R>,
    options: RequestOptions,
    read: (response: Message<ResponseName<R>>, messageId: string) => T,
  ): Promise<T> {
    if (this.#ended) throw this.#ended;
    const { signal } = options;
    if (signal?.aborted) throw new HostError("aborted", `${name} was given up`, { cause: signal.reason });
    const messageId = this.#newMessageId();
    const reply = this.#calls.reply(messageId, name, options, (message) =>
      read(responseIn(message, name), messageId),
    );
    try {
      this.#send(messageId, { [name]: request });
    } catch (error) {
      this.#calls.fail(messageId, error as Error); // larger than a frame
    }
    try {
      return await reply;
    } catch (error) {
      const givenUp = error instanceof HostError && (error.code === "aborted" || error.code === "timed-out");
      if (options.cancel && givenUp) this.cancel(messageId);
      throw error;
    }
  }

  /** Sends what is not answered: a part of a stream. Nothing is sent when the session has ended. */
  send(payload: Envelope): void {
    if (!this.#ended) this.#send(this.#newMessageId(), payload);
  }

  /**
   * Sends a part of a stream that is in `buffer` already, at streamDataHeadBytes, without copying it. `buffer` is not to be
   * changed before `taken`, which is called in any case.
   */
  sendInPlace(
    streamId: string,
    channel: number,
    buffer: Buffer,
    dataBytes: number,
    taken?: () => void,
  ): void {
    if (this.#ended) {
      if (taken) process.nextTick(taken);
      return;
    }
    const head = { streamId, messageId: this.#newMessageId(), channel, end: false };
    this.#connection.sendFrame(frameStreamData(this.#connection.framing, head, buffer, dataBytes), taken);
  }

  /** As sendInPlace(), for data with no room before it. */
  sendAside(streamId: string, channel: number, data: Buffer, taken?: () => void): void {
    this.sendInPlace(streamId, channel, Buffer.allocUnsafe(streamDataHeadBytes), data.length);
    if (!this.#ended) this.#connection.sendFrame(data, taken);
    else if (taken) process.nextTick(taken);
  }

  /** Tells the agent that what this message_id began is given up. */
  cancel(messageId: string): void {
    if (this.#ended || !this.supports("cancel")) return;
    // Whatever is answered: nobody waits for what is given up.
    this.request("cancel", { messageId }).catch(() => undefined);
  }

  /** The agent reads slower than is sent to it; streams then wait. */
  get congested(): boolean {
    return this.#connection.congested;
  }

  /** Calls back once, when it is congested no more; never when the session ends before. */
  whenRelieved(callback: () => void): void {
    this.#connection.whenRelieved(callback);
  }

  /** Takes replies and parts of streams; false for all else. */
  take(message: AgentMessage): boolean {
    return this.streams.take(message) || this.#calls.settle(message);
  }

  /** Fails all that is under way, and what is asked from now on. */
  end(error: HostError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#calls.failAll(error);
    this.streams.failAll(error);
  }

  #newMessageId(): string {
    return messageIdOf(this.#idPrefix, ++this.#counter);
  }

  #send(messageId: string, payload: Envelope): void {
    this.#connection.send({ messageId, timestamp: timestamp(Date.now()), ...payload });
  }
}

/** Throws a HostError when the agent has answered with something else. */
function responseIn<R extends RequestName>(message: AgentMessage, name: R): Message<ResponseName<R>> {
  const response = message[responseOf[name]];
  if (response) return plain(response);
  if (message.error) throw agentError(message.error.message ?? "");
  throw new HostError("agent-error", `${name} was answered with ${message.payload ?? "nothing"}`);
}
