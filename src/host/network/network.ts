import type { CallOptions } from "../calls.ts";
import { checkAnswer } from "../commands/answer.ts";
import { HostError } from "../errors.ts";
import type { SessionOf } from "../files/files.ts";

/** How a guest's network is configured. */
export interface NetworkState {
  /** Who carries it out: "netplan", "networkmanager", "networkd", "netsh", or "none". */
  backend: string;
  /** What apply() has written last (netplan's YAML), or "". It may have passwords of wireless networks in it. */
  document: string;
  /** All that is in force, as the backend's own tool tells it. Likewise. */
  effective: string;
  /** A change waits to be confirmed until then. */
  confirmUntil: Date | undefined;
  /** There is something that rollBack() would bring back. */
  canRollBack: boolean;
}

export interface ApplyNetworkOptions extends CallOptions {
  /**
   * What was there before comes back by itself, whatever becomes of this host and of the agent, unless confirm() is called
   * within so many seconds; at most 3600. Without, the change is kept at once.
   */
  confirmSeconds?: number | undefined;
  /** Only written, and used from the next boot. */
  writeOnly?: boolean | undefined;
}

export interface AppliedNetwork {
  /** Who carries it out; "" from agents that do not tell. */
  backend: string;
  /** What was changed, a line each: "wrote /etc/netplan/99-limiquantix.yaml", "eth0: address 10.0.0.5/24 added". */
  changes: string[];
  /** Of a change that is to be confirmed: for confirm(), and when it is rolled back without. */
  confirmation: { token: string; until: Date } | undefined;
}

/** Applying, and, when that fails, applying what was there before, may take a minute each. */
const applyTimeoutSeconds = 180;

const mostConfirmSeconds = 3600;

/**
 * The guest's network configuration: `client.network`. All reject with a HostError: "agent-error" with QXGA-5004 when the
 * guest refuses; nothing has changed then, or the message says what has. "not-supported" by agents that cannot do it.
 */
export class Network {
  readonly #session: SessionOf;

  constructor(session: SessionOf) {
    this.#session = session;
  }

  /** How the network is configured. */
  async show(options: CallOptions = {}): Promise<NetworkState> {
    const session = await this.#session("network.show", options);
    session.require("network_show", "network.show");
    const response = await session.request("networkShow", {}, options);
    checkAnswer(response);
    const { backend, netplanConfig: document, effective, confirmUntil, canRollBack } = response;
    return { backend, document, effective, confirmUntil: dateOf(confirmUntil), canRollBack };
  }

  /**
   * Carries out a netplan document. The guest checks it first, and brings back what was there before when it cannot be
   * applied. Resolves when it is in force, which may take minutes: 180 s are waited unless `timeoutSeconds` is given.
   */
  async apply(document: string, options: ApplyNetworkOptions = {}): Promise<AppliedNetwork> {
    const { confirmSeconds = 0, writeOnly = false, timeoutSeconds = applyTimeoutSeconds, signal } = options;
    if (!Number.isInteger(confirmSeconds) || confirmSeconds < 0 || confirmSeconds > mostConfirmSeconds) {
      const limit = `it must be a whole number up to ${mostConfirmSeconds}`;
      throw new RangeError(`confirmSeconds is ${confirmSeconds}; ${limit}`);
    }
    const session = await this.#session("network.apply", options);
    // An agent that does not know the field would keep the change whatever comes.
    if (confirmSeconds > 0) session.require("network_confirm", "network.apply with confirmSeconds");
    const request = { netplanConfig: document, applyNow: !writeOnly, confirmSeconds };
    const response = await session.request("configureNetwork", request, { signal, timeoutSeconds });
    checkAnswer(response);
    const { backend, changes, confirmToken: token } = response;
    const until = dateOf(response.confirmUntil);
    if (confirmSeconds > 0 && (token === "" || until === undefined)) {
      throw new HostError("agent-error", "the agent did not say how the change is to be confirmed");
    }
    return { backend, changes, confirmation: until && { token, until } };
  }

  /** Keeps a change that waits for it. */
  async confirm(token: string, options: CallOptions = {}): Promise<void> {
    const session = await this.#session("network.confirm", options);
    session.require("network_confirm", "network.confirm");
    checkAnswer(await session.request("networkConfirm", { confirmToken: token }, options));
  }

  /** Brings back what was there before the last change, and applies it; gives what was changed, a line each. */
  async rollBack(options: CallOptions = {}): Promise<string[]> {
    const session = await this.#session("network.rollBack", options);
    session.require("network_rollback", "network.rollBack");
    const response = await session.request(
      "networkRollback",
      {},
      { timeoutSeconds: applyTimeoutSeconds, ...options },
    );
    checkAnswer(response);
    return response.changes;
  }
}

/** What a Date takes: 100 million days. */
const mostMs = 8.64e15;

/** The guest is not trusted to send a time that is one. */
function dateOf(time: { seconds: number; nanos: number } | null): Date | undefined {
  if (time === null) return undefined;
  const ms = time.seconds * 1000 + Math.floor(time.nanos / 1e6);
  return new Date(Math.abs(ms) <= mostMs ? ms : 0);
}
