import { setTimeout as sleep } from "node:timers/promises";
import type { AgentMessage } from "../wire/envelope.ts";
import type { Framing } from "../wire/frame.ts";
import { version } from "../version.ts";
import { type CallOptions, defaultTimeoutSeconds } from "./calls.ts";
import { Connection } from "./connection.ts";
import { HostError } from "./errors.ts";
import { Negotiation, type Terms } from "./negotiate.ts";
import { Session } from "./session.ts";
import { isServingAnother } from "./socket-state.ts";
import { deferred, rejectWhenAborted, secondsFromNow } from "./waiting.ts";

export interface LinkOptions {
  socket: string;
  /** How this side frames what it sends; agents answer alike. */
  framing: Framing;
  /** Whether to connect again, with pauses that grow to five seconds, when the connection goes. */
  reconnect: boolean;
}

export interface LinkEvents {
  /** A session has begun. */
  up(): void;
  /** What belongs to no call and no stream. */
  message(message: AgentMessage): void;
  /** The connection has gone, and all that was under way has failed. */
  down(error: HostError): void;
}

type State =
  | { state: "down" }
  /** `anew`: the agent has restarted, and nobody waits in open() for what comes of it. */
  | { state: "negotiating"; connection: Connection; negotiation: Negotiation; anew: boolean }
  | { state: "up"; connection: Connection; session: Session };

const longestPauseMs = 5_000;

/** The way to one agent: connects, makes the first exchange, and does so again when the connection or the agent goes. */
export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #closing = new AbortController();
  #state: State = { state: "down" };
  #up = deferred<undefined>();

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Connects and makes the first exchange until the deadline; rejects with a HostError, or as `caller` says. */
  async open(deadline: AbortSignal, caller?: AbortSignal): Promise<void> {
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
    this.#state = { state: "negotiating", connection, negotiation, anew: false };
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

  /** Fires when close() is called. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** What the agent is, while there is a session. */
  get terms(): Terms | undefined {
    return this.#state.state === "up" ? this.#state.session.terms : undefined;
  }

  /** The session; waits for it when it is being made. Rejects with a HostError that says what `what` waited for. */
  async session(what: string, options: CallOptions): Promise<Session> {
    if (this.#state.state === "up") return this.#state.session;
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
    return this.#current(what);
  }

  /** Ends the connection; what is under way fails with `error`. Idempotent. */
  close(error: HostError): void {
    this.#closing.abort(error);
    const state = this.#state;
    this.#state = { state: "down" };
    if (state.state !== "down") state.connection.close();
    if (state.state === "up") state.session.end(error);
    this.#up.reject(error); // those who wait for a connection
    this.#up = deferred();
    this.#up.reject(error); // and those who will
  }

  #current(what: string): Session {
    if (this.#state.state !== "up") throw new HostError("connection-lost", `${what}: the connection ended`);
    return this.#state.session;
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
    const state = this.#state;
    if (state.state === "down" || state.connection !== connection) return;
    if (state.state === "negotiating") {
      const terms = state.negotiation.take(message);
      if (terms) this.#begin(connection, terms);
      // An agent that starts only now has not seen our hello.
      else if (message.agentReady)
        for (const envelope of state.negotiation.opening) connection.send(envelope);
    } else {
      this.#dispatch(state.session, message);
    }
  }

  #begin(connection: Connection, terms: Terms): void {
    const session = new Session(connection, terms);
    this.#state = { state: "up", connection, session };
    this.#up.resolve(undefined);
    this.#events.up();
    if (terms.mode === "plain") for (const message of terms.heard) this.#dispatch(session, message);
  }

  #dispatch(session: Session, message: AgentMessage): void {
    const { telemetry, agentReady } = message;
    // Events come before replies: whatever id they carry, they answer nothing.
    if (!telemetry && !agentReady && session.take(message)) return;
    this.#events.message(message);
    const { terms } = session;
    if (agentReady && terms.mode === "session" && agentReady.sessionId !== terms.sessionId)
      this.#agentRestarted();
  }

  /** An agent_ready outside our session: the agent is another process now, and knows nothing of our calls. */
  #agentRestarted(): void {
    if (this.#state.state !== "up") return;
    const { connection, session } = this.#state;
    const negotiation = new Negotiation(version);
    this.#state = { state: "negotiating", connection, negotiation, anew: true };
    this.#up = deferred();
    session.end(new HostError("agent-restarted", "the agent in the guest was started anew"));
    for (const envelope of negotiation.opening) connection.send(envelope);
  }

  #lose(connection: Connection, error: HostError): void {
    const state = this.#state;
    if (state.state === "down" || state.connection !== connection) return;
    this.#state = { state: "down" };
    if (state.state === "up") {
      this.#up = deferred();
      state.session.end(error);
    } else if (!state.anew) {
      return; // open() tells its caller
    }
    this.#events.down(error);
    if (this.#options.reconnect) void this.#reconnect();
    else this.#up.reject(error);
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = 50; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await sleep(pauseMs, undefined, { signal });
        await this.open(secondsFromNow(defaultTimeoutSeconds), signal);
        return;
      } catch {
        this.#state = { state: "down" }; // told already by down(); the next try follows
      }
    }
  }
}
