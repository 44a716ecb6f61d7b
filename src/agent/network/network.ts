import { randomBytes } from "node:crypto";
import { CodedError } from "../../wire/errors.ts";
import { after } from "../deadline.ts";
import type { Log } from "../log.ts";
import type { Backend, Change } from "./backends/backend.ts";
import { type ChangeRecord, fileList } from "./change-record.ts";
import { type NetworkDocument, parseNetworkDocument } from "./document.ts";
import { differences, settled, staticAddresses } from "./interfaces.ts";
import { Queue } from "../queue.ts";
import {
  ChangeFailed,
  type Configured,
  type NetworkRequest,
  type NetworkState,
  checkConfirmation,
  mostConfirmSeconds,
  refused,
} from "./requests.ts";
import { Restoring, type RestoringOptions } from "./restoring.ts";
import { withoutSecrets } from "./secrets.ts";

/** A rollback that nobody waits for is tried again, as it is what an operator relies on. */
const rollbackTries = 3;

export interface NetworkOptions extends RestoringOptions {
  log: Pick<Log, "info" | "warn" | "error">;
  /** Seconds since boot, by a clock that nobody sets. */
  uptimeSeconds: () => number;
  /** Of the running system; "" where it is not known. */
  bootId: string;
  /** How long the addresses of a document that was applied are waited for; they are only told. */
  settleMs: number;
}

/**
 * The guest's network configuration: one change at a time, which holds as a whole or not at all. What there was before is
 * written down first, and brought back when applying fails, when the agent ends meanwhile, or when a change that is to be
 * confirmed is not.
 */
export class Network {
  readonly #options: NetworkOptions;
  readonly #queue = new Queue();
  readonly #restoring: Restoring;
  #stopWaiting: (() => void) | undefined;
  #closed = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#restoring = new Restoring(options);
  }

  /**
   * Carries out a document. Rejects with CodedError network: nothing has changed; or ChangeFailed. `signal` counts until
   * the first file is written; from then on the change comes to its end, whoever waits for it.
   */
  async configure(request: NetworkRequest, signal: AbortSignal): Promise<Configured> {
    checkConfirmation(request);
    const document = parseNetworkDocument(request.document);
    try {
      return await this.#queue.run(signal, () => this.#configure(document, request, signal));
    } catch (error) {
      throw withoutSecretsOf(document, error);
    }
  }

  /** Keeps the change that waits. Rejects with CodedError network when none does, or another. */
  async confirm(token: string): Promise<void> {
    await this.#queue.run(undefined, async () => {
      const record = await this.#options.records.read();
      if (record?.phase !== "unconfirmed") {
        throw refused("no change waits to be confirmed; one that did was rolled back at its deadline");
      }
      if (token !== record.token) throw refused("the change that waits to be confirmed has another token");
      await this.#options.records.write(kept(record));
      this.#stopWaiting?.();
      this.#options.log.info("the network configuration is confirmed");
    });
  }

  /** Brings back what there was before the last change; gives what was changed. Rejects with CodedError network. */
  async rollBack(): Promise<string[]> {
    return await this.#queue.run(undefined, async () => {
      const record = await this.#options.records.read();
      if (!record?.before) throw refused("there is no earlier configuration to go back to");
      const { interfaces, settleMs } = this.#options;
      const before = await interfaces();
      const { lines, problem } = await this.#restoring.restore(record, { apply: true });
      if (problem)
        throw refused(`the earlier files are in place, but not in force: ${problem.message}`, problem);
      const end = await settled(interfaces, [], settleMs);
      return [...lines, ...differences(before, end)];
    });
  }

  async show(signal: AbortSignal): Promise<NetworkState> {
    const record = await this.#options.records.read();
    const backend = await this.#backendThere();
    const files = await backend?.files.read();
    const written = backend && files && backend.documentIn ? backend.documentIn(files) : record?.document;
    return {
      backend: backend?.name ?? "none",
      document: written ?? "",
      effective: backend ? await backend.show(signal) : "",
      confirmUntil: record?.phase === "unconfirmed" ? record.deadline?.at : undefined,
      canRollBack: record?.before !== undefined,
    };
  }

  /** Brings back what an earlier agent has left half done or unconfirmed, or waits on for its host. Never rejects. */
  async recover(): Promise<void> {
    await this.#queue.run(undefined, async () => {
      try {
        const record = await this.#options.records.read();
        if (record === undefined || record.phase === "kept") return;
        const leftSeconds = this.#leftSeconds(record);
        if (record.phase === "unconfirmed" && leftSeconds > 0) this.#wait(leftSeconds);
        else await this.#rollBackByItself(record, why(record));
      } catch (error) {
        this.#options.log.error(
          { err: error, code: "QXGA-9006" },
          "what is left of a network change cannot be rolled back",
        );
      }
    });
  }

  /** A change that waits goes on doing so when the next agent starts. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#restoring.close();
    this.#stopWaiting?.();
    await this.#queue.idle();
  }

  async #configure(
    document: NetworkDocument,
    { apply, confirmSeconds }: NetworkRequest,
    signal: AbortSignal,
  ): Promise<Configured> {
    const { records, interfaces, settleMs } = this.#options;
    const earlier = await this.#earlierRecord();
    const backend = await this.#backendThere();
    if (!backend) throw refused("this guest has none of netplan, NetworkManager and systemd-networkd");
    const to = backend.render(document);
    await backend.validate(to, signal);
    const from = await backend.files.read();
    const remembered = await backend.remember();
    const before = await interfaces();
    signal.throwIfAborted();

    const record: ChangeRecord = {
      version: 1,
      phase: "applying",
      backend: backend.name,
      document: document.text,
      before: {
        ...{ document: earlier?.document ?? "", files: fileList(from), remembered },
        links: before.map(({ name, mtu }) => ({ name, mtu })),
      },
      applied: apply,
      token: "",
    };
    await records.write(record);
    const change = { from, to, remembered };
    const { lines, record: end } = await this.#carryOut(backend, change, record, confirmSeconds, earlier);
    const now = apply ? await settled(interfaces, staticAddresses(document), settleMs) : before;
    const changes = [...lines, ...differences(before, now)];
    this.#options.log.info({ backend: backend.name, changes }, "the network is configured");
    if (!end.deadline) return { backend: backend.name, changes };
    return { backend: backend.name, changes, confirmation: { token: end.token, until: end.deadline.at } };
  }

  /** Writes and applies it, or brings back what there was and throws ChangeFailed. */
  async #carryOut(
    backend: Backend,
    change: Change,
    record: ChangeRecord,
    confirmSeconds: number,
    earlier: ChangeRecord | undefined,
  ): Promise<{ lines: string[]; record: ChangeRecord }> {
    try {
      const lines = await backend.files.replace(change.to);
      if (record.applied) await backend.apply(change);
      const end = confirmSeconds > 0 ? this.#unconfirmed(record, confirmSeconds) : kept(record);
      await this.#options.records.write(end);
      if (end.deadline) this.#wait(confirmSeconds);
      return { lines, record: end };
    } catch (cause) {
      const failure = cause instanceof Error ? cause.message : String(cause);
      const problem = await this.#undo(record, earlier);
      const end = problem
        ? `what was there before could not be brought back into force: ${problem.message}`
        : "what was there before holds again";
      throw new ChangeFailed(`${failure}; ${end}`, backend.name, problem === undefined, { cause });
    }
  }

  /** Gives what went wrong. */
  async #undo(record: ChangeRecord, earlier: ChangeRecord | undefined): Promise<Error | undefined> {
    try {
      const { problem } = await this.#restoring.restore(record, { apply: record.applied });
      // The change before can be rolled back as before.
      if (!problem && earlier) await this.#options.records.write(earlier);
      return problem;
    } catch (error) {
      return error as Error;
    }
  }

  #unconfirmed(record: ChangeRecord, seconds: number): ChangeRecord {
    const { bootId, uptimeSeconds } = this.#options;
    const deadline = { bootId, uptimeSeconds: uptimeSeconds() + seconds, at: Date.now() + seconds * 1000 };
    return { ...record, phase: "unconfirmed", token: randomBytes(16).toString("hex"), deadline };
  }

  /** The record of a change that has come to its end. Rejects when one waits for the host. */
  async #earlierRecord(): Promise<ChangeRecord | undefined> {
    const record = await this.#options.records.read();
    if (record?.phase === "unconfirmed") {
      const until = new Date(record.deadline?.at ?? 0).toISOString();
      throw refused(`a change waits to be confirmed until ${until}; confirm it, or roll it back`);
    }
    if (record?.phase !== "applying") return record;
    // Its rollback failed when this agent started, or before.
    await this.#restoring.restore(record, { apply: record.applied });
    return await this.#options.records.read();
  }

  #wait(seconds: number): void {
    this.#stopWaiting?.();
    if (this.#closed) return;
    this.#stopWaiting = after(seconds * 1000, () => {
      void this.#queue.run(undefined, () => this.#expire());
    });
  }

  /** Never rejects. */
  async #expire(): Promise<void> {
    try {
      const record = await this.#options.records.read();
      if (record?.phase === "unconfirmed" && !this.#closed) await this.#rollBackByItself(record, why(record));
    } catch (error) {
      this.#options.log.error(
        { err: error, code: "QXGA-9006" },
        "an unconfirmed network change cannot be rolled back",
      );
    }
  }

  async #rollBackByItself(record: ChangeRecord, reason: string): Promise<void> {
    const { log } = this.#options;
    log.warn(
      { backend: record.backend, code: "QXGA-5004" },
      `rolling the network configuration back: ${reason}`,
    );
    const { lines, problem } = await this.#restoring.restore(record, {
      apply: record.applied,
      tries: rollbackTries,
    });
    if (problem)
      log.error(
        { err: problem, code: "QXGA-9006" },
        "the earlier network configuration could not be applied",
      );
    else log.info({ changes: lines }, "the earlier network configuration holds again");
  }

  /** After another boot there is none left. */
  #leftSeconds({ deadline }: ChangeRecord): number {
    const { bootId, uptimeSeconds } = this.#options;
    if (deadline === undefined || bootId === "" || deadline.bootId !== bootId) return 0;
    return Math.min(deadline.uptimeSeconds - uptimeSeconds(), mostConfirmSeconds);
  }

  async #backendThere(): Promise<Backend | undefined> {
    for (const backend of this.#options.backends) {
      if (await backend.isThere()) return backend;
    }
    return undefined;
  }
}

function why({ phase }: ChangeRecord): string {
  return phase === "applying" ? "the agent ended while it was applied" : "it was not confirmed in time";
}

function kept(record: ChangeRecord): ChangeRecord {
  const { version, backend, document, before, applied, token } = record;
  return { version, phase: "kept", backend, document, ...(before && { before }), applied, token };
}

/** The tools quote what they do not like. */
function withoutSecretsOf({ text }: NetworkDocument, error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  const message = withoutSecrets(error.message, text);
  if (message === error.message) return error;
  if (error instanceof ChangeFailed) return new ChangeFailed(message, error.backend, error.rolledBack);
  return new CodedError(error.code, message); // the cause says the same again
}
