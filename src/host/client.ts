import { EventEmitter, on, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentMessage, timestamp } from "../wire/envelope.ts";
import type { Framing } from "../wire/frame.ts";
import { type RequestFields, type RequestName, type ResponseName, responseOf } from "../wire/operations.ts";
import { messageIdOf, newSessionId } from "../wire/session-id.ts";
import { type CallOptions, Calls, defaultTimeoutSeconds } from "./calls.ts";
import { Connection } from "./connection.ts";
import { deferred, rejectWhenAborted, secondsFromNow } from "./waiting.ts";
import { HostError, agentError } from "./errors.ts";
import { Negotiation, type Terms } from "./negotiate.ts";
import { type Plain, plain } from "./plain.ts";
import { isServingAnother } from "./socket-state.ts";
import { version } from "../version.ts";

type Message<Name extends keyof AgentMessage> = Plain<NonNullable<AgentMessage[Name]>>;

export type TelemetryReport = Message<"telemetry">;
export type AgentReady = Message<"agentReady">;
export type AgentErrorEvent = Message<"error">;
export type Pong = Message<"pong"> & { roundTripMs: number };
export type Capabilities = Message<"getCapabilitiesResponse">;

export interface ClientEvents {
  telemetry: [TelemetryReport];
  agentReady: [AgentReady];
  /** An ErrorEvent that answers no call. */
  agentError: [AgentErrorEvent];
  connected: [];
  /** The connection has gone; with `reconnect` it is being made anew. */
  disconnected: [HostError];
}

export interface ClientOptions {
  socket: string;
  /** How this client frames what it sends; agents answer alike. */
  framing: Framing;
  /** Whether to connect again, with pauses that grow to five seconds, when the connection goes. */
  reconnect: boolean;
}

type Link =
  | { state: "down" }
  | { state: "negotiating"; connection: Connection; negotiation: Negotiation }
  | { state: "up"; connection: Connection; terms: Terms };

const longestPauseMs = 5_000;

/** A connection to the agent in one VM. Made by connect(). */
export class Client extends EventEmitter<ClientEvents> {
  readonly #options: ClientOptions;
  readonly #calls = new Calls();
  readonly #closing = new AbortController();
  /** The prefix of message ids with an agent that knows no sessions. */
  readonly #plainPrefix = newSessionId();
  #link: Link = { state: "down" };
  #up = deferred<undefined>();
  #counter = 0;
  #lastTelemetry: TelemetryReport | undefined;
  #lastReady: AgentReady | undefined;

  private constructor(options: ClientOptions) {
    super();
    this.#options = options;
  }

  /** Connects and makes the first exchange until the deadline; rejects with a HostError, or as `signal` says. */
  static async connect(options: ClientOptions, deadline: AbortSignal, signal?: AbortSignal): Promise<Client> {
    const client = new Client(options);
    try {
      await client.#connect(deadline, signal);
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  get socket(): string {
    return this.#options.socket;
  }

  /** "session" with an agent that knows sessions, "plain" with an earlier one. */
  get mode(): Terms["mode"] {
    return this.#link.state === "up" ? this.#link.terms.mode : "plain";
  }

  get agentVersion(): string {
    return this.#link.state === "up" ? this.#link.terms.agentVersion : "";
  }

  /** Sends one request and gives its response as the protocol has it, `error` field included. */
  async request<R extends RequestName>(
    name: R,
    request: RequestFields<R>,
    options: CallOptions = {},
  ): Promise<Message<ResponseName<R>>> {
    const link = this.#link.state === "up" ? this.#link : await this.#whenUp(name, options);
    const part = ++this.#counter;
    const messageId = messageIdOf(
      link.terms.mode === "session" ? link.terms.sessionId : this.#plainPrefix,
      part,
    );
    const reply = this.#calls.reply(messageId, name, options);
    link.connection.send({ messageId, timestamp: timestamp(Date.now()), [name]: request });
    const message = await reply;
    const response = message[responseOf[name]];
    if (response) return plain(response);
    if (message.error) throw agentError(message.error.message ?? "");
    throw new HostError("agent-error", `${name} was answered with ${message.payload ?? "nothing"}`);
  }

  /** Asks for a sign of life. `roundTripMs` is measured here. */
  async ping(options: CallOptions = {}): Promise<Pong> {
    const started = performance.now();
    const pong = await this.request(
      "ping",
      { sequence: this.#counter + 1 },
      { timeoutSeconds: 5, ...options },
    );
    return { ...pong, roundTripMs: performance.now() - started };
  }

  /** What the agent is and can do. */
  capabilities(options: CallOptions = {}): Promise<Capabilities> {
    return this.request("getCapabilities", {}, options);
  }

  /** How the agent introduced itself: waits for it when it has not yet. */
  async ready(options: CallOptions = {}): Promise<AgentReady> {
    return this.#lastReady ?? (await this.#next("agentReady", options));
  }

  /** The newest report; waits for the first. Agents send one when a host attaches and then every few seconds. */
  async telemetry(options: CallOptions = {}): Promise<TelemetryReport> {
    return this.#lastTelemetry ?? (await this.#next("telemetry", options));
  }

  /** The newest report, if there is one, and every one from now on, until `signal` is aborted or the client closed. */
  async *reports({ signal }: Pick<CallOptions, "signal"> = {}): AsyncGenerator<
    TelemetryReport,
    void,
    undefined
  > {
    const end = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]);
    try {
      const coming = on(this as EventEmitter, "telemetry", { signal: end });
      if (this.#lastTelemetry) yield this.#lastTelemetry;
      for await (const [report] of coming) {
        yield report as TelemetryReport;
      }
    } catch (error) {
      if (!end.aborted) throw error;
    }
  }

  /** Ends the connection; calls under way fail with "aborted". Idempotent. */
  async close(): Promise<void> {
    const error = new HostError("aborted", "the client was closed");
    this.#closing.abort(error);
    const { connection } = this.#link as { connection?: Connection };
    this.#link = { state: "down" };
    connection?.close();
    this.#calls.failAll(error);
    this.#up.reject(error); // those who wait for a connection
    this.#up = deferred();
    this.#up.reject(error); // and those who will
    await Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #connect(deadline: AbortSignal, caller?: AbortSignal): Promise<void> {
    const signal = caller ? AbortSignal.any([caller, deadline]) : deadline;
    const negotiation = new Negotiation(version);
    const closed = deferred<never>();
    const connection: Connection = await Connection.open(
      this.#options.socket,
      this.#options.framing,
      {
        message: (message) => {
          this.#receive(connection, message);
        },
        closed: (error) => {
          closed.reject(error);
          this.#lose(connection, error);
        },
      },
      signal,
    );
    this.#link = { state: "negotiating", connection, negotiation };
    for (const envelope of negotiation.opening) connection.send(envelope);
    try {
      await Promise.race([this.#up.promise, closed.promise, rejectWhenAborted(signal)]);
    } catch (error) {
      const late = deadline.aborted && !caller?.aborted;
      const told = late ? await this.#explainSilence(connection) : (error as Error);
      connection.close();
      throw told;
    }
  }

  /** A deadline that passed without a word is a busy socket or a silent agent; say which. */
  async #explainSilence(connection: Connection): Promise<HostError> {
    const { socket } = this.#options;
    if (!connection.heardAnything && (await isServingAnother(socket))) {
      return new HostError(
        "busy",
        `${socket} is taken by another client (a host daemon?); only one at a time is served`,
      );
    }
    return new HostError(
      "agent-silent",
      `connected to ${socket}, but no agent answers: is limiquantix-agent running in the guest? ` +
        "(systemctl status limiquantix-agent; a guest that boots may need more time: limiquantix-ctl wait)",
    );
  }

  #receive(connection: Connection, message: AgentMessage): void {
    const link = this.#link;
    if (link.state === "negotiating" && link.connection === connection) {
      const terms = link.negotiation.take(message);
      if (terms) this.#begin(connection, terms);
      // An agent that starts only now has not seen our hello.
      else if (message.agentReady) for (const envelope of link.negotiation.opening) connection.send(envelope);
    } else if (link.state === "up" && link.connection === connection) {
      this.#dispatch(link.terms, message);
    }
  }

  #begin(connection: Connection, terms: Terms): void {
    this.#link = { state: "up", connection, terms };
    this.#up.resolve(undefined);
    this.emit("connected");
    if (terms.mode === "plain") for (const message of terms.heard) this.#dispatch(terms, message);
  }

  #dispatch(terms: Terms, message: AgentMessage): void {
    const { telemetry, agentReady, error } = message;
    if (telemetry) {
      this.#lastTelemetry = plain<NonNullable<AgentMessage["telemetry"]>>(telemetry);
      this.emit("telemetry", this.#lastTelemetry);
    } else if (agentReady) {
      this.#lastReady = plain<NonNullable<AgentMessage["agentReady"]>>(agentReady);
      this.emit("agentReady", this.#lastReady);
      if (terms.mode === "session" && agentReady.sessionId !== terms.sessionId) this.#agentRestarted();
    } else if (!this.#calls.settle(message) && error) {
      this.emit("agentError", plain<NonNullable<AgentMessage["error"]>>(error));
    }
  }

  /** An agent_ready outside our session: the agent is another process now, and knows nothing of our calls. */
  #agentRestarted(): void {
    if (this.#link.state !== "up") return;
    const { connection } = this.#link;
    this.#calls.failAll(new HostError("agent-restarted", "the agent in the guest was started anew"));
    const negotiation = new Negotiation(version);
    this.#link = { state: "negotiating", connection, negotiation };
    this.#up = deferred();
    for (const envelope of negotiation.opening) connection.send(envelope);
  }

  #lose(connection: Connection, error: HostError): void {
    const link = this.#link;
    if (link.state === "down" || link.connection !== connection) return;
    const wasUp = link.state === "up";
    this.#link = { state: "down" };
    this.#lastReady = undefined;
    this.#lastTelemetry = undefined;
    this.#calls.failAll(error);
    if (!wasUp) return; // connect() tells its caller
    this.emit("disconnected", error);
    this.#up = deferred();
    if (this.#options.reconnect) void this.#reconnect();
    else this.#up.reject(error);
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = 50; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await sleep(pauseMs, undefined, { signal });
        await this.#connect(secondsFromNow(defaultTimeoutSeconds), signal);
        return;
      } catch {
        this.#link = { state: "down" }; // told already by "disconnected"; the next try follows
      }
    }
  }

  async #whenUp(what: string, options: CallOptions): Promise<Extract<Link, { state: "up" }>> {
    const deadline = secondsFromNow(options.timeoutSeconds ?? defaultTimeoutSeconds);
    const either = AbortSignal.any([deadline, ...(options.signal ? [options.signal] : [])]);
    try {
      await Promise.race([this.#up.promise, rejectWhenAborted(either)]);
    } catch (error) {
      if (error instanceof HostError) throw error;
      throw deadline.aborted
        ? new HostError("timed-out", `${what}: no connection to ${this.#options.socket} came about in time`)
        : new HostError("aborted", `${what} was given up`, { cause: error });
    }
    if (this.#link.state !== "up") throw new HostError("connection-lost", `${what}: the connection ended`);
    return this.#link;
  }

  async #next<Name extends "telemetry" | "agentReady">(
    name: Name,
    { signal, timeoutSeconds = defaultTimeoutSeconds }: CallOptions,
  ): Promise<ClientEvents[Name][0]> {
    const deadline = secondsFromNow(timeoutSeconds);
    const end = AbortSignal.any([deadline, this.#closing.signal, ...(signal ? [signal] : [])]);
    const lost = deferred<never>();
    const onLost = (error: HostError): void => {
      if (!this.#options.reconnect) lost.reject(error);
    };
    this.on("disconnected", onLost);
    try {
      const event = once(this as EventEmitter, name, { signal: end }) as Promise<ClientEvents[Name]>;
      const [value] = await Promise.race([event, lost.promise]);
      return value;
    } catch (error) {
      if (!end.aborted) throw error;
      throw deadline.aborted
        ? new HostError("timed-out", `no ${name} came within ${timeoutSeconds} s`)
        : new HostError("aborted", `waiting for ${name} was given up`, { cause: error });
    } finally {
      this.off("disconnected", onLost);
    }
  }
}
