import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "../../wire/errors.ts";
import type { Backend, Change } from "./backends/backend.ts";
import { type ChangeRecord, type ChangeRecords, filesOf } from "./change-record.ts";
import type { FileSet } from "./config-files.ts";
import type { InterfaceState } from "./interfaces.ts";
import { withoutSecrets } from "./secrets.ts";

const retryMs = 2_000;

export interface RestoringOptions {
  /** In the order in which they are asked whether they are there. */
  backends: readonly Backend[];
  records: ChangeRecords;
  interfaces: () => Promise<readonly InterfaceState[]>;
  setMtu: (name: string, mtu: number) => Promise<void>;
}

export interface Restored {
  /** What was written and removed, a line each. */
  lines: string[];
  /** Why the earlier files, which are in place, are not in force. */
  problem?: Error;
}

/** Brings back what there was before a change. */
export class Restoring {
  readonly #options: RestoringOptions;
  #closed = false;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  /** The agent stops, and ends its tools. What could not be applied then is left to the next one. */
  close(): void {
    this.#closed = true;
  }

  /** Puts the earlier files in place and applies them, if need be several times. Rejects when they are not in place. */
  async restore(
    record: ChangeRecord,
    { apply, tries = 1 }: { apply: boolean; tries?: number },
  ): Promise<Restored> {
    const { before, backend: name } = record;
    const backend = this.#options.backends.find((each) => each.name === name);
    if (!backend || !before) {
      throw new CodedError(
        "network",
        `there is no way back: ${before ? `no ${name}` : "nothing to go back to"}`,
      );
    }
    const { files, remembered } = before;
    const change = { from: await backend.files.read(), to: filesOf(files), remembered };
    const lines = await backend.files.replace(change.to);
    const problem = apply ? await this.#apply(backend, change, before, tries) : undefined;
    if (problem && this.#closed) return { lines, problem };
    await this.#settle(record, change.to);
    return { lines, ...(problem && { problem }) };
  }

  /** Gives why it could not be applied. */
  async #apply(
    backend: Backend,
    change: Change,
    { document, links }: NonNullable<ChangeRecord["before"]>,
    tries: number,
  ): Promise<Error | undefined> {
    for (let left = tries; ;) {
      try {
        await (backend.restore ? backend.restore(change) : backend.apply(change));
        await this.#restoreMtus(links);
        return undefined;
      } catch (error) {
        left--;
        if (left <= 0 || this.#closed) {
          return new CodedError("network", withoutSecrets((error as Error).message, document));
        }
        await sleep(retryMs);
      }
    }
  }

  async #restoreMtus(links: readonly { name: string; mtu: number }[]): Promise<void> {
    const { interfaces, setMtu } = this.#options;
    for (const { name, mtu } of await interfaces()) {
      const earlier = links.find((link) => link.name === name)?.mtu ?? mtu;
      if (earlier !== mtu) await setMtu(name, earlier);
    }
  }

  /** What was there before is what there is. */
  async #settle({ backend, before }: ChangeRecord, files: FileSet): Promise<void> {
    const document = before?.document ?? "";
    const { records } = this.#options;
    if (files.size === 0) await records.remove();
    else await records.write({ version: 1, phase: "kept", backend, document, applied: true, token: "" });
  }
}
