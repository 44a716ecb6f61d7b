import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { close, fsync, readInto, writePieces } from "./io.ts";
import { type FileStats, system } from "./system/index.ts";

/** A file system that has not answered for so long is not waited for any more: a server, or a disk, that is gone. */
export const silentMs = 20_000;

/** What is told then; `doing` is "read /x". */
export function silence(doing: string): CodedError {
  return new CodedError(
    "fileSystemSilent",
    `cannot ${doing}: no answer within ${silentMs / 1000} s; a disk or a file server does not answer`,
  );
}

/** `work`'s result, or CodedError fileSystemSilent. What `work` waits for goes on. */
export function answerOf<T>(work: Promise<T>, doing: string): Promise<T> {
  return withDeadline(work, silentMs, () => silence(doing));
}

/**
 * A descriptor that is held for long. Each operation rejects when the file system does not answer in time; the descriptor
 * is closed when the last that was begun has come back, so that it cannot be another file's meanwhile.
 */
export class HeldFile {
  readonly #fd: number;
  readonly #doing: string;
  #pending = 0;
  #closing = false;

  /** Takes over `fd`. `doing` is for errors: "read /x". */
  constructor(fd: number, doing: string) {
    this.#fd = fd;
    this.#doing = doing;
  }

  /** Valid until close(). */
  get fd(): number {
    return this.#fd;
  }

  read(targets: readonly Buffer[], position: number): Promise<number> {
    return this.use((fd) => readInto(fd, targets, position));
  }

  write(pieces: readonly Buffer[], position: number): Promise<void> {
    return this.use((fd) => writePieces(fd, pieces, position));
  }

  stat(): Promise<FileStats> {
    return this.use((fd) => system.fstat(fd));
  }

  /** Has no deadline: a slow disk may have gigabytes to write. */
  sync(): Promise<void> {
    return this.#hold(fsync);
  }

  /** Any other operation. */
  use<T>(work: (fd: number) => Promise<T>): Promise<T> {
    return answerOf(this.#hold(work), this.#doing);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#closing && this.#pending === 0) close(this.#fd);
  }

  async #hold<T>(work: (fd: number) => Promise<T>): Promise<T> {
    if (this.#closing) throw new CodedError("cancelled", `cannot ${this.#doing}: it was given up`);
    this.#pending++;
    try {
      return await work(this.#fd);
    } finally {
      this.#pending--;
      this.#closeWhenIdle();
    }
  }
}
