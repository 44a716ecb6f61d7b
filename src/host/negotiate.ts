import type { AgentMessage, Envelope } from "../wire/envelope.ts";
import { messageIdOf, newSessionId } from "../wire/session-id.ts";

/** Extensions that this client can use. */
const clientFeatures = ["telemetry-extended", "exec", "cancel", "files", "users"];

/** What the first exchange with an agent has shown. */
export type Terms =
  | { mode: "session"; sessionId: string; agentVersion: string; features: readonly string[] }
  /** An agent of an earlier generation, without sessions. What it said of itself meanwhile is in `heard`. */
  | { mode: "plain"; agentVersion: string; heard: readonly AgentMessage[] };

/**
 * The first exchange on a connection: a hello, and behind it a ping. An agent with sessions answers the hello
 * first. One without them ignores it, or answers with an ErrorEvent, and then answers the ping. No deadline has
 * to pass to tell them apart, and what an earlier client's requests still produce is dropped meanwhile.
 */
export class Negotiation {
  readonly #sessionId = newSessionId();
  readonly #helloId = messageIdOf(this.#sessionId, "hello");
  readonly #pingId = messageIdOf(this.#sessionId, "first-ping");
  readonly #clientVersion: string;
  readonly #heard: AgentMessage[] = [];

  constructor(clientVersion: string) {
    this.#clientVersion = clientVersion;
  }

  get opening(): Envelope[] {
    return [
      {
        messageId: this.#helloId,
        hello: { sessionId: this.#sessionId, clientVersion: this.#clientVersion, features: clientFeatures },
      },
      { messageId: this.#pingId, ping: { sequence: 0 } },
    ];
  }

  /** Takes every message until one has settled the terms, and gives those. */
  take(message: AgentMessage): Terms | undefined {
    const { agentReady, helloResponse, pong, messageId } = message;
    if (helloResponse && messageId === this.#helloId) {
      if (helloResponse.success && helloResponse.sessionId === this.#sessionId) {
        const { agentVersion = "", features } = helloResponse;
        return {
          mode: "session",
          sessionId: this.#sessionId,
          agentVersion: agentVersion ?? "",
          features: features ?? [],
        };
      }
      return this.#plainTerms(helloResponse.agentVersion);
    }
    if (pong && messageId === this.#pingId) return this.#plainTerms(pong.version);
    if (agentReady || message.telemetry) this.#heard.push(message);
    return undefined;
  }

  #plainTerms(agentVersion: string | null | undefined): Terms {
    return { mode: "plain", agentVersion: agentVersion ?? "", heard: this.#heard };
  }
}
