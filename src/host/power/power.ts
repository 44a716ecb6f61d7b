import { ShutdownType } from "../../wire/envelope.ts";
import type { CallOptions } from "../calls.ts";
import { checkAnswer } from "../commands/answer.ts";
import { largestUint32, whole } from "../commands/options.ts";
import { dateOf } from "../date.ts";
import { agentError } from "../errors.ts";
import type { SessionOf } from "../files/files.ts";

/** What becomes of the machine: off, started anew, or stopped with its power on. */
export type ShutdownKind = "poweroff" | "reboot" | "halt";

export interface ShutdownOptions extends CallOptions {
  /** A whole number; 0, for at once, unless given. */
  delaySeconds?: number | undefined;
  /** For users who are logged in; the guest shows 1,024 characters of it. */
  message?: string | undefined;
}

export interface ShutdownResult {
  /** When the guest goes down, by its own clock; null for at once, and with agents that do not tell. */
  dueAt: Date | null;
  /** Another one had been waiting, and is not any more. */
  replaced: boolean;
}

/** The shutdown that waits in a guest, or is under way. */
export interface PendingShutdown {
  kind: ShutdownKind;
  /** By the guest's clock. */
  dueAt: Date;
  message: string;
  /** It has begun and cannot be called off. */
  underWay: boolean;
}

const typeOf = {
  poweroff: ShutdownType.SHUTDOWN_TYPE_POWEROFF,
  reboot: ShutdownType.SHUTDOWN_TYPE_REBOOT,
  halt: ShutdownType.SHUTDOWN_TYPE_HALT,
} as const;

/**
 * The guest's power: `client.power`. All reject with a HostError: "agent-error" with the agent's code, QXGA-5001, of a
 * reboot 5002; "not-supported" by agents that cannot.
 */
export class Power {
  readonly #session: SessionOf;

  constructor(session: SessionOf) {
    this.#session = session;
  }

  /** Resolves when the guest will go off: then its agent goes on until its system ends it. */
  poweroff(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    return this.shutdown("poweroff", options);
  }

  /** Likewise, and it is started anew. */
  reboot(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    return this.shutdown("reboot", options);
  }

  /** Likewise, and it stops with its power on: QEMU goes on running. */
  halt(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    return this.shutdown("halt", options);
  }

  /** One that waits is replaced by the next. Rejects when another kind is under way. */
  async shutdown(kind: ShutdownKind, options: ShutdownOptions = {}): Promise<ShutdownResult> {
    const { delaySeconds = 0, message = "", ...call } = options;
    whole("delaySeconds", delaySeconds, 0, largestUint32);
    const session = await this.#session(kind, call);
    const response = await session.request("shutdown", { type: typeOf[kind], delaySeconds, message }, call);
    const { accepted, error, dueAt, replaced } = response;
    if (!accepted || error) throw agentError(error || `the agent refused the ${kind}, and did not say why`);
    return { dueAt: dueAt && dateOf(dueAt), replaced };
  }

  /** Calls off the shutdown that waits; gives whether there was one. Rejects when it is under way. */
  async cancel(options: CallOptions = {}): Promise<boolean> {
    const session = await this.#session("cancel", options);
    session.require("shutdown_cancel", "cancel");
    const response = await session.request("shutdownCancel", {}, options);
    checkAnswer(response);
    return response.wasPending;
  }

  /** The shutdown that waits or is under way, if there is one; and why one that was asked for has not come, or "". */
  async status(options: CallOptions = {}): Promise<{ pending: PendingShutdown | null; dropped: string }> {
    const session = await this.#session("status", options);
    session.require("shutdown_status", "status");
    const response = await session.request("shutdownStatus", {}, options);
    checkAnswer(response);
    const { pending, type, dueAt, message, underWay, dropped } = response;
    if (!pending || dueAt === null) return { pending: null, dropped };
    return { pending: { kind: kindOf(type), dueAt: dateOf(dueAt), message, underWay }, dropped };
  }
}

function kindOf(type: ShutdownType): ShutdownKind {
  if (type === ShutdownType.SHUTDOWN_TYPE_REBOOT) return "reboot";
  return type === ShutdownType.SHUTDOWN_TYPE_HALT ? "halt" : "poweroff";
}
