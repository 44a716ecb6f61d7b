import { close } from "./io.ts";
import type { OpenFile } from "./open-file.ts";
import { system } from "./system/index.ts";

const mostOpen = 32;

/** How long a file stays open for its next piece. */
const idleMs = 2_000;

/** What a new file gets unless the host says otherwise. */
export const defaultMode = 0o644;

/** A file that stays open between the pieces of it that are read or written. */
export interface HeldFile extends OpenFile {
  readonly key: string;
  /** Pieces under way. */
  users: number;
  usedAt: number;
  /** Not for new pieces any more; closed when the last user leaves. */
  dropped: boolean;
  /** Unfinished and new: it gets this mode when no more comes; undefined: it keeps the one that it has. */
  modeWhenIdle: number | undefined;
  /** For whom its use is in the audit: a session's name. */
  auditedFor: string | undefined;
}

/** Files that pieces are read from or written to, open for a while: opening one costs many times what a piece does. */
export class OpenFiles {
  /** The longest unused first. */
  readonly #held = new Map<string, HeldFile>();
  #sweep: NodeJS.Timeout | undefined;

  get(key: string): HeldFile | undefined {
    return this.#held.get(key);
  }

  /** Keeps a file, in place of the one that has the key, and enters it. */
  hold(key: string, file: OpenFile): HeldFile {
    const held: HeldFile = {
      ...file,
      key,
      users: 1,
      usedAt: performance.now(),
      dropped: false,
      modeWhenIdle: undefined,
      auditedFor: undefined,
    };
    const before = this.#held.get(key);
    if (before) this.drop(before);
    this.#held.set(key, held);
    for (const oldest of this.#held.values()) {
      if (this.#held.size <= mostOpen) break;
      this.drop(oldest);
    }
    this.#sweep ??= setTimeout(() => {
      this.#closeIdle();
    }, idleMs).unref();
    return held;
  }

  enter(held: HeldFile): void {
    held.users++;
  }

  leave(held: HeldFile): void {
    held.users--;
    if (held.dropped) {
      if (held.users === 0) this.#close(held);
      return;
    }
    held.usedAt = performance.now();
    if (this.#held.size === 1) return;
    this.#held.delete(held.key);
    this.#held.set(held.key, held);
  }

  /** The next piece opens the file anew. */
  drop(held: HeldFile): void {
    if (held.dropped) return;
    held.dropped = true;
    if (this.#held.get(held.key) === held) this.#held.delete(held.key);
    if (held.users === 0) this.#close(held);
  }

  #close({ fd, modeWhenIdle }: HeldFile): void {
    if (modeWhenIdle === undefined) {
      close(fd);
      return;
    }
    // Its host went in the middle of it. That nobody is there to tell of an error is why it is none.
    void system
      .fchmod(fd, modeWhenIdle)
      .catch(() => undefined)
      .finally(() => {
        close(fd);
      });
  }

  #closeIdle(): void {
    this.#sweep = undefined;
    const now = performance.now();
    for (const held of this.#held.values()) {
      if (held.users === 0 && now - held.usedAt >= idleMs) this.drop(held);
    }
    if (this.#held.size === 0) return;
    this.#sweep = setTimeout(() => {
      this.#closeIdle();
    }, idleMs / 2).unref();
  }
}
