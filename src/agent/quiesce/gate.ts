import { CodedError } from "../../wire/errors.ts";
import type { RequestName } from "../../wire/operations.ts";

/** What neither writes to a file system nor waits for one, and so is answered while some are frozen. */
const harmless: ReadonlySet<RequestName> = new Set<RequestName>([
  "ping",
  "hello",
  "getCapabilities",
  "cancel",
  "quiesce",
  "thaw",
  "quiesceStatus",
  "timeStatus",
  "shutdownStatus",
  "execList",
  "execSignal",
  "execResize",
]);

/** Keeps requests out that could hang, and log lines in memory, for as long as something is frozen. */
export class FreezeGate {
  readonly #holdLog: () => () => void;
  readonly #waiting: (() => void)[] = [];
  #closed: { since: Date; mountPoints: readonly string[]; releaseLog: () => void } | undefined;

  /** `holdLog` has log lines wait until what it gives is called. */
  constructor(holdLog: () => () => void) {
    this.#holdLog = holdLog;
  }

  close(since: Date, mountPoints: readonly string[]): void {
    this.open();
    this.#closed = { since, mountPoints, releaseLog: this.#holdLog() };
  }

  /** Idempotent. */
  open(): void {
    this.#closed?.releaseLog();
    this.#closed = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when nothing is frozen. */
  async opened(): Promise<void> {
    while (this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Why a request is refused now, if it is. */
  refusal(name: RequestName): CodedError | undefined {
    if (this.#closed === undefined || harmless.has(name)) return undefined;
    const { since, mountPoints } = this.#closed;
    return new CodedError("alreadyQuiesced", `${frozenText(mountPoints, since)}; thaw first`);
  }
}

/** "/ and /data are frozen since 2026-01-01T00:00:00.000Z" */
export function frozenText(mountPoints: readonly string[], since: Date): string {
  const names =
    mountPoints.length > 4 ? [...mountPoints.slice(0, 3), `${mountPoints.length - 3} more`] : mountPoints;
  const text = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}` : names.join();
  return `${text} ${mountPoints.length > 1 ? "are" : "is"} frozen since ${since.toISOString()}`;
}
