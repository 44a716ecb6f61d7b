import { randomBytes } from "node:crypto";
import { CodedError } from "../../wire/errors.ts";
import type { Response } from "../../wire/operations.ts";
import type { Log } from "../log.ts";
import type { Streams } from "../session/streams.ts";
import { Turns } from "../files/turns.ts";
import { Journal } from "./journal.ts";
import type { RequestContext } from "../session/handler.ts";
import { type ByteSink, Receiver } from "./receiver.ts";

/** At once, of all hosts: each may have a few MiB of memory and some descriptors. */
const mostTransfers = 32;

/** Uploads that failed and whose commit may still come; the oldest are forgotten. */
const mostFailures = 64;

/** How long what has arrived of an upload waits for its host to come back. */
const keepMs = 3_600_000;

/** No host's id has a dot. */
const ownPrefix = "own.";

/** What the answer to a commit tells. */
export type CommitResult = Pick<Response<"transferCommit">, "entry" | "entries">;

/** Any that is under way for a host. */
interface Incoming {
  streams: Streams;
  receiver: Receiver<CommitResult>;
  uploadId: string;
}

/** All transfers of this agent. */
export class Transfers {
  readonly journal: Journal;
  #prefix: string | undefined;
  readonly #log: Pick<Log, "warn">;
  readonly #incoming = new Map<string, Incoming>();
  readonly #failures = new Map<string, { streams: Streams; error: CodedError }>();
  /** When each upload that is kept is given up. */
  readonly #kept = new Map<string, number>();
  #expiry: NodeJS.Timeout | undefined;
  readonly #turns = new Turns();
  #counter = 0;
  #running = 0;
  #cleaned: Promise<void> | undefined;

  constructor(stateDir: string, log: Pick<Log, "warn">) {
    this.journal = new Journal(stateDir, log);
    this.#log = log;
  }

  /** Takes a place; gives the function that gives it back. Throws CodedError rateLimit when there is none. */
  reserve(): () => void {
    if (this.#running >= mostTransfers) {
      throw new CodedError(
        "rateLimit",
        `${mostTransfers} transfers are running already; wait for one to finish`,
      );
    }
    this.#running++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#running--;
    };
  }

  newStreamId(): string {
    this.#prefix ??= randomBytes(4).toString("hex");
    return `${this.#prefix}-t${++this.#counter}`;
  }

  /** For an upload without an id of the host: it is remembered only to clean up after it. */
  newUploadId(): string {
    return `${ownPrefix}${randomBytes(12).toString("base64url")}`;
  }

  /** What earlier agents have left behind is kept for as long as it would have been, or removed. */
  async clean(): Promise<void> {
    await (this.#cleaned ??= this.#findEarlier());
  }

  async #findEarlier(): Promise<void> {
    try {
      for (const id of this.journal.ids()) {
        const record = await this.journal.read(id);
        if (record && this.journal.isOfThisBoot(record) && !id.startsWith(ownPrefix)) this.#keep(id);
        else await this.#discard(id);
      }
    } catch (error) {
      this.#log.warn({ err: error }, "what is left of earlier uploads cannot be read");
    }
  }

  /** Opens a stream for an upload, which it takes over; gives its id. `onEnd` is told when it is over, however that came. */
  receive(
    { streams, messageId }: Pick<RequestContext, "streams" | "messageId">,
    uploadId: string,
    upload: ByteSink<CommitResult> & { readonly isKept: boolean },
    onEnd: () => void,
  ): string {
    const id = this.newStreamId();
    const receiver = new Receiver(id, streams, messageId, upload, (error) => {
      onEnd();
      if (upload.isKept) this.#keep(uploadId);
      this.#ended({ receiver, streams, uploadId }, error);
    });
    this.#incoming.set(id, { receiver, streams, uploadId });
    this.#kept.delete(uploadId);
    return id;
  }

  /** A commit may still come for what has failed. */
  #ended({ receiver, streams }: Incoming, error: CodedError | undefined): void {
    this.#incoming.delete(receiver.id);
    if (error === undefined || streams.signal.aborted) return;
    this.#failures.set(receiver.id, { streams, error });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > mostFailures && oldest !== undefined) this.#failures.delete(oldest);
  }

  /**
   * Runs `begin`, which opens a stream for this upload, when no other does, and whoever had it has let go: the request of a
   * host that is gone may still be on its way.
   */
  async exclusively<T>(uploadId: string, begin: () => Promise<T>): Promise<T> {
    const { before, end } = this.#turns.next(uploadId);
    try {
      await before;
      const others = [...this.#incoming.values()].filter((other) => other.uploadId === uploadId);
      const why = new CodedError("cancelled", "another request goes on with this upload");
      await Promise.all(others.map(({ receiver }) => receiver.leave(why)));
      return await begin();
    } finally {
      end();
    }
  }

  /** Nobody wants it any more, before it had a stream. */
  async giveUp(
    uploadId: string,
    upload: Pick<ByteSink<CommitResult>, "close"> & { readonly isKept: boolean },
  ): Promise<void> {
    await upload.close("given-up");
    if (upload.isKept) this.#keep(uploadId);
  }

  /** Throws CodedError noSuchTransfer, or what it failed of. */
  receiver(streams: Streams, streamId: string): Receiver<CommitResult> {
    const incoming = this.#incoming.get(streamId);
    if (incoming?.streams === streams) return incoming.receiver;
    const failure = this.#failures.get(streamId);
    if (failure?.streams === streams) throw failure.error;
    throw new CodedError("noSuchTransfer", `there is no upload ${streamId}; it may have ended`);
  }

  /** The agent ends; what can be gone on with stays. */
  async close(): Promise<void> {
    clearTimeout(this.#expiry);
    const why = new CodedError("connectionLost", "the agent stops");
    await Promise.all([...this.#incoming.values()].map(({ receiver }) => receiver.leave(why)));
  }

  #isActive(uploadId: string): boolean {
    return [...this.#incoming.values()].some((other) => other.uploadId === uploadId);
  }

  #keep(uploadId: string): void {
    this.#kept.set(uploadId, performance.now() + keepMs);
    this.#expiry ??= setTimeout(() => void this.#expire(), keepMs).unref();
  }

  async #expire(): Promise<void> {
    const now = performance.now();
    const late = [...this.#kept].filter(([, until]) => until <= now).map(([id]) => id);
    for (const id of late) {
      this.#kept.delete(id);
      if (!this.#isActive(id)) await this.#discard(id);
    }
    this.#expiry = undefined;
    const [next] = this.#kept.values();
    if (next === undefined) return;
    this.#expiry = setTimeout(() => void this.#expire(), Math.max(1_000, next - performance.now())).unref();
  }

  async #discard(id: string): Promise<void> {
    try {
      await this.journal.discard(id);
    } catch (error) {
      this.#log.warn({ err: error, upload: id }, "what is left of an upload cannot be removed");
    }
  }
}
