import { setMaxListeners } from "node:events";
import { CodedError } from "../../wire/errors.ts";
import {
  type AgentMessage,
  type Envelope,
  decodeEnvelope,
  timestamp,
  toNumber,
} from "../../wire/envelope.ts";
import { FrameDecoder } from "../../wire/frame-decoder.ts";
import { type Framing, maxFrameBytes } from "../../wire/frame.ts";
import { belongsTo, isSessionId } from "../../wire/session-id.ts";
import { firstPayloadNumber } from "../../wire/unknown-payload.ts";
import { type Request, type RequestName, isEvent, isRequest, isStream } from "../../wire/operations.ts";
import type { Agent } from "../agent.ts";
import { type Log, LogLimiter } from "../log.ts";
import type { Port } from "../transport/port.ts";
import { errorEvent, failureOf } from "./failure.ts";
import { freshId } from "./fresh-id.ts";
import { RunningRequest } from "./running-request.ts";
import { type Lane, Responder } from "./responder.ts";
import { Streams } from "./streams.ts";

/** Requests that are answered before all others, and whose answers overtake other replies. */
const controlRequests: ReadonlySet<RequestName> = new Set<RequestName>([
  "ping",
  "hello",
  "getCapabilities",
  "cancel",
  "execSignal",
  "execResize",
  "thaw",
  "quiesceStatus",
]);

const empty = new Uint8Array();

/** In characters. Known hosts send less than 110; an answer that carries a longer one might be no frame any more. */
const longestMessageId = 1024;

/** How far back an answer may be the next host's. */
export const lastMomentsMs = 50;

/**
 * The conversation with one host. It begins when the host attaches, or says hello anew, and ends when it goes:
 * then running requests are aborted and nothing of it reaches the next one.
 */
export class Session {
  readonly #agent: Agent;
  readonly #log: Log;
  readonly #port: Pick<Port, "write" | "pause" | "resume">;
  readonly #responder: Responder;
  readonly #decoder: FrameDecoder<AgentMessage>;
  readonly #badInput = new LogLimiter();
  #stopTelemetry: (() => void) | undefined;
  /** Aborted when the session ends: its requests and streams end with it. */
  #life = newLife();
  #streams: Streams;
  /** The id the host's hello brought; undefined with a host that says none. */
  #id: string | undefined;
  /** What the frame boundaries were lost in since the hello may hold frames made by somebody else. */
  #trustsOnlyItsOwn = false;

  constructor(agent: Agent, port: Pick<Port, "write" | "pause" | "resume">, log: Log) {
    this.#agent = agent;
    this.#port = port;
    this.#log = log;
    this.#responder = new Responder(
      agent.config.framing === "magic" ? "magic" : "plain",
      (buffers) => port.write(buffers),
      () => {
        port.resume();
        this.#decoder.resumeDeadline();
      },
    );
    this.#streams = this.#newStreams();
    this.#decoder = new FrameDecoder({
      decode: decodeEnvelope,
      onMessage: (message, framing, body) => {
        this.#receive(message, framing, body);
        return "done"; // streams and handlers copy what they keep
      },
      onGarbage: (skippedBytes) => {
        this.#onGarbage(skippedBytes);
      },
      frameTimeoutMs: agent.config.frame_timeout_secs * 1000,
    });
  }

  /** Greets the host: agent_ready, then telemetry, then telemetry at its interval. */
  begin(unsent: readonly Buffer[] = []): void {
    this.#send("control", { agentReady: this.#agent.readyEvent(this.#id) });
    this.#responder.adopt(unsent);
    this.#stopTelemetry = this.#agent.telemetry.subscribe({ extended: this.#id !== undefined }, (report) => {
      this.#send("telemetry", { telemetry: report });
    });
  }

  /** Where the next chunk is best read; undefined when that does not matter. */
  room(mostBytes: number): Buffer | undefined {
    return this.#decoder.room(mostBytes);
  }

  /** True when a part of the chunk is kept: it must not be changed afterwards. */
  data(chunk: Buffer): boolean {
    const isKept = this.#decoder.push(chunk);
    if (this.#responder.congested) this.#pause();
    return isKept;
  }

  writable(): void {
    this.#responder.writable();
  }

  /**
   * The host has gone. Gives the answers of the last moments that it has not got: a host that connects within a
   * millisecond of the one before may have asked before the kernel told of either.
   */
  end(): Buffer[] {
    const unsent = this.#responder.answersSince(performance.now() - lastMomentsMs);
    this.#stopTelemetry?.();
    this.#stopTelemetry = undefined;
    this.#life.abort(new CodedError("connectionLost", "the host went away"));
    this.#responder.clear({ finishFrame: false });
    this.#decoder.reset();
    return unsent;
  }

  /** Resolves when all that waits has been taken by the port, or at the deadline. */
  async drained(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    while (this.#responder.waitingBytes > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #receive(message: AgentMessage, framing: Framing, body: Buffer): void {
    if (this.#agent.config.framing === "auto") this.#responder.framing = framing;
    const name = message.payload;
    const { messageId } = message;
    if (messageId.length > longestMessageId) {
      this.#refuse(
        undefined,
        new CodedError("badMessageId", `a message_id of ${messageId.length} characters`),
      );
    } else if (name === undefined) {
      this.#refuse(messageId, unknownPayload(body));
    } else if (isStream(name)) {
      if (this.#isTrusted(messageId)) this.#stream(message);
    } else if (isEvent(name)) {
      // Never answered: an echo of our own output would go round for ever.
      this.#logBad({ payload: name, messageId }, "an event was sent to the agent; ignored");
    } else if (!isRequest(name)) {
      this.#refuse(messageId, new CodedError("unknownType", `${name} is a response, not a request`));
    } else if (name === "hello") {
      this.#hello(messageId, message.hello as Request<"hello">);
    } else if (!this.#isTrusted(messageId)) {
      this.#logBad(
        { payload: name, messageId },
        "a request of no known session came out of garbage; ignored",
      );
    } else {
      this.#run(name, messageId, message[name]);
    }
  }

  #isTrusted(messageId: string): boolean {
    return !this.#trustsOnlyItsOwn || this.#id === undefined || belongsTo(this.#id, messageId);
  }

  #stream({ streamData, streamCredit }: AgentMessage): void {
    if (streamData) {
      const { streamId = "", channel = 0, data, end = false } = streamData;
      this.#streams.data(streamId ?? "", channel ?? 0, data ?? empty, end ?? false);
    }
    if (streamCredit) {
      const { streamId = "", channel = 0, bytes } = streamCredit;
      this.#streams.credit(streamId ?? "", channel ?? 0, toNumber(bytes ?? 0));
    }
  }

  #run(name: RequestName, messageId: string, request: unknown): void {
    const running = new RunningRequest(messageId, this.#streams, this.#log, this.#agent);
    const answer = this.#agent.router.route(name, request, running);
    if (answer instanceof Promise) {
      void answer.then((payload) => {
        this.#answered(name, running, payload);
      });
    } else {
      this.#answered(name, running, answer);
    }
  }

  #answered(name: RequestName, running: RunningRequest, payload: Envelope): void {
    running.end();
    if (running.streams.signal.aborted) {
      running.sent?.();
      return;
    }
    this.#reply(name, running.messageId, payload, running.sent);
    running.answered();
  }

  #reply(name: RequestName, messageId: string, payload: Envelope, sent?: () => void): void {
    try {
      this.#send(controlRequests.has(name) ? "control" : "reply", payload, messageId, sent);
    } catch (error) {
      const coded = new CodedError(
        "messageTooLarge",
        `the reply is larger than a frame (${maxFrameBytes} bytes)`,
        {
          cause: error,
        },
      );
      this.#log.warn({ request: name, err: error }, coded.wireText);
      this.#send("reply", failureOf(name, coded), messageId, sent);
    }
  }

  #hello(messageId: string, hello: Request<"hello">): void {
    const sessionId = hello.sessionId;
    if (!isSessionId(sessionId)) {
      const error = new CodedError(
        "badMessageId",
        "session_id must be 16 to 64 characters of A-Z a-z 0-9 _ -",
      );
      this.#reply("hello", messageId, failureOf("hello", error));
      return;
    }
    if (sessionId === this.#id) {
      // A client that saw agent_ready before our answer asks again.
      this.#reply("hello", messageId, { helloResponse: this.#agent.helloResponse(sessionId) });
      return;
    }
    this.#stopTelemetry?.();
    this.#life.abort(new CodedError("connectionLost", "another session began"));
    this.#life = newLife();
    this.#responder.clear({ finishFrame: true });
    this.#id = sessionId;
    this.#streams = this.#newStreams();
    this.#trustsOnlyItsOwn = false;
    this.#log.info({ client: hello.clientVersion, session: nameOf(sessionId) }, "a host began a session");
    this.#reply("hello", messageId, { helloResponse: this.#agent.helloResponse(sessionId) });
    this.begin();
  }

  #refuse(messageId: string | undefined, error: CodedError): void {
    this.#logBad({ messageId }, error.wireText);
    this.#send("control", errorEvent(error), messageId);
  }

  #onGarbage(skippedBytes: number): void {
    this.#trustsOnlyItsOwn = true;
    this.#logBad({ skippedBytes, code: "QXGA-2001" }, "bytes that are no frame were skipped");
  }

  #logBad(fields: object, message: string): void {
    const admitted = this.#badInput.admit();
    if (admitted) this.#log.warn({ ...fields, ...(admitted.leftOut > 0 && admitted) }, message);
  }

  /** An answer carries its request's id, an event a fresh one. */
  #send(lane: Lane, payload: Envelope, answersTo?: string, sent?: () => void): void {
    const messageId = answersTo ?? freshId();
    const kind = answersTo === undefined ? "event" : "answer";
    this.#responder.send(lane, { messageId, timestamp: timestamp(Date.now()), ...payload }, kind, sent);
    if (this.#responder.congested) this.#pause();
  }

  #newStreams(): Streams {
    return new Streams(this.#life.signal, nameOf(this.#id), this.#responder, (payload) => {
      this.#send("reply", payload);
    });
  }

  /** The host does not read: nothing more is read from it until it does. */
  #pause(): void {
    this.#port.pause();
    this.#decoder.holdDeadline();
  }
}

/** Each request and live command listens to it: Node would take more than ten for a leak, and say so in our log. */
function newLife(): AbortController {
  const life = new AbortController();
  setMaxListeners(0, life.signal);
  return life;
}

/** Enough of an id to tell sessions apart in a log; the whole of it is a secret. */
function nameOf(sessionId: string | undefined): string {
  return sessionId?.slice(0, 8) ?? "";
}

/** The error for an envelope without a payload that this agent knows. */
function unknownPayload(body: Buffer): CodedError {
  const field = firstPayloadNumber(body);
  return field === undefined
    ? new CodedError("noPayload", "the message has no payload")
    : new CodedError("unknownType", `payload number ${field} is not known to this agent`);
}
