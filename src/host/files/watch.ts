import { HostError, agentError } from "../errors.ts";
import { checkAnswer } from "../commands/answer.ts";
import type { Message } from "../messages.ts";
import type { Session } from "../session.ts";
import type { Watch } from "../streams.ts";
import { deferred } from "../waiting.ts";
import type { FileOptions } from "./options.ts";
import type { FileChanges } from "./results.ts";

/** Changes that may wait here for their reader; of more only that there were some is told. */
const mostWaiting = 10_000;

/** See Files.watch(). */
export async function* watch(
  session: Session,
  path: string,
  { signal }: FileOptions,
): AsyncGenerator<FileChanges, void, undefined> {
  session.require("files", "watch");
  if (signal?.aborted) return;
  const changes = new WaitingChanges();
  let watchId = "";
  let begunBy = "";
  const stop = (): void => {
    changes.end();
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await session.ask("fileWatch", { path }, { signal, cancel: true }, (response, messageId) => {
      checkAnswer(response);
      session.streams.openWatch(response.watchId, changes);
      watchId = response.watchId;
      begunBy = messageId;
    });
    for (let next = await changes.next(); next !== undefined; next = await changes.next()) yield next;
  } catch (error) {
    if (!(error instanceof HostError && error.code === "aborted" && signal?.aborted)) throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    if (watchId !== "") {
      session.streams.closeWatch(watchId);
      if (!changes.failed) session.cancel(begunBy);
    }
  }
}

/** What has changed and was not asked for yet, as one. */
class WaitingChanges implements Watch {
  #waiting: FileChanges | undefined;
  #more = deferred<undefined>();
  #error: HostError | undefined;
  #ended = false;

  /** The agent, or the session, has ended it. */
  get failed(): boolean {
    return this.#error !== undefined;
  }

  changed({ changes, overflow, error }: Message<"fileChanged">): void {
    const waiting = (this.#waiting ??= { changes: [], overflow: false });
    const room = mostWaiting - waiting.changes.length;
    waiting.changes.push(...changes.slice(0, room).map(({ name, renamed }) => ({ name, renamed })));
    waiting.overflow ||= overflow || changes.length > room;
    if (error !== "") this.#error ??= agentError(error);
    this.#more.resolve(undefined);
  }

  fail(error: HostError): void {
    this.#error ??= error;
    this.#more.resolve(undefined);
  }

  end(): void {
    this.#ended = true;
    this.#more.resolve(undefined);
  }

  /** The next; undefined when it was ended here. */
  async next(): Promise<FileChanges | undefined> {
    while (!this.#ended) {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting && (waiting.changes.length > 0 || waiting.overflow)) return waiting;
      if (this.#error) throw this.#error;
      await this.#more.promise;
      this.#more = deferred();
    }
    return undefined;
  }
}
