import { randomUUID } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { type Envelope, encodeFrame, timestamp } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Framing } from "../../wire/frame.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import type { Stream, Streams } from "../session/streams.ts";
import { fileError, isErrno } from "./file-error.ts";
import { close } from "./io.ts";
import { Places } from "./places.ts";
import { system } from "./system/index.ts";

/** Changes in quicker succession are one event. */
const coalesceMs = 50;

/** In one event; what is more is an overflow. */
const mostChanges = 256;
const mostNameBytes = 48 * 1024;

/** Looks at a time, of all watches: one may hold up a thread for as long as its file system does not answer. */
const looks = new Places(2);

/** What is watched, as it was when the watch began. */
interface Target {
  path: string;
  dev: bigint;
  ino: bigint;
  isFolder: boolean;
}

/**
 * Tells a host of changes to a file, or in a folder. An event leaves when the port has room for it, so a host that does
 * not read costs no memory: what changes meanwhile is joined.
 */
export class Watch implements Stream {
  readonly id = randomUUID();
  readonly #target: Target;
  readonly #streams: Streams;
  readonly #onEnd: () => void;
  readonly #watcher: FSWatcher;
  /** By name: whether it was made, removed or renamed. */
  #changes = new Map<string, boolean>();
  #nameBytes = 0;
  #overflow = false;
  #error = "";
  #timer: NodeJS.Timeout | undefined;
  #isReady = false;
  #isInQuestion = false;
  readonly #life = new AbortController();
  #started = false;
  #ended = false;

  private constructor(target: Target, watcher: FSWatcher, streams: Streams, onEnd: () => void) {
    this.#target = target;
    this.#watcher = watcher;
    this.#streams = streams;
    this.#onEnd = onEnd;
  }

  /**
   * Links are followed. `onEnd` is called once, however it ends. Rejects with CodedError readBlocked, and the system's
   * error. The kernel's limit on watches is not the disk's, though it says so.
   */
  static async open(file: string, policy: PathPolicy, streams: Streams, onEnd: () => void): Promise<Watch> {
    const fd = await system.openPath(file, { follow: true });
    try {
      const stats = await system.fstat(fd);
      const real = await system.realPathOf(fd);
      await policy.checkRead(real, stats);
      const isFolder = stats.isDirectory();
      const at = system.watchedPath(fd, real, isFolder);
      await access(at); // asked of the file system here, so that the main thread need not
      const watcher = watch(at, { persistent: false });
      const target = { path: file, dev: stats.dev, ino: stats.ino, isFolder };
      const self = new Watch(target, watcher, streams, onEnd);
      watcher.on("change", (kind, name) => {
        self.#onChange(kind === "rename", String(name));
      });
      watcher.on("error", (error) => {
        self.#fail(fileError(error, `watch ${file}`));
      });
      return self;
    } catch (error) {
      if (!isErrno(error, "ENOSPC")) throw error;
      throw new CodedError(
        "internal",
        `cannot watch ${file}: no more watches (fs.inotify.max_user_watches)`,
        {
          cause: error as Error,
        },
      );
    } finally {
      close(fd);
    }
  }

  /** To be called when the answer is on its way: events come behind it. */
  start(): void {
    this.#started = true;
    this.#schedule();
  }

  /** Nothing comes any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#life.abort();
    this.#watcher.close();
    this.#onEnd();
  }

  nextFrame(framing: Framing): Buffer | undefined {
    if (!this.#isReady || this.#ended) return undefined;
    this.#isReady = false;
    const changes = [...this.#changes].map(([name, renamed]) => ({ name, renamed }));
    const event = { watchId: this.id, changes, overflow: this.#overflow, error: this.#error };
    const envelope: Envelope = {
      messageId: randomUUID(),
      timestamp: timestamp(Date.now()),
      fileChanged: event,
    };
    this.#changes = new Map();
    this.#nameBytes = 0;
    this.#overflow = false;
    if (event.error !== "") this.end();
    return encodeFrame(framing, envelope);
  }

  /** The host has nothing to send. */
  data(): void {
    // A watch has one direction.
  }

  credit(): void {
    // An event is small, and there is one at a time.
  }

  #onChange(renamed: boolean, name: string): void {
    const { path: file, isFolder } = this.#target;
    this.#isInQuestion ||= !isFolder || name === ".";
    const shown = isFolder ? (name === "." ? "" : name) : path.basename(file);
    const known = this.#changes.get(shown);
    if (known !== undefined) {
      this.#changes.set(shown, known || renamed);
    } else if (this.#changes.size < mostChanges && this.#nameBytes < mostNameBytes) {
      this.#changes.set(shown, renamed);
      this.#nameBytes += Buffer.byteLength(shown);
    } else {
      this.#overflow = true;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#ended || !this.#started || this.#timer || this.#isReady) return;
    if (this.#changes.size === 0 && this.#error === "") return;
    this.#timer = setTimeout(() => {
      void this.#look();
    }, coalesceMs);
  }

  /** Whether the path still leads there, where that is in question: a removal and a change look the same to who watches what is removed. */
  async #look(): Promise<void> {
    if (this.#isInQuestion) await this.#check();
    this.#timer = undefined;
    if (this.#ended) return;
    this.#isReady = true;
    this.#streams.ready(this);
  }

  async #check(): Promise<void> {
    const { path: file, dev, ino } = this.#target;
    this.#isInQuestion = false;
    try {
      await looks.take(this.#life);
    } catch {
      return; // the watch has ended meanwhile
    }
    try {
      const now = await stat(file, { bigint: true });
      if (now.dev !== dev || now.ino !== ino) this.#fail(gone(file));
    } catch (error) {
      this.#fail(isErrno(error, "ENOENT") ? gone(file) : fileError(error, `watch ${file}`));
    } finally {
      looks.giveBack();
    }
  }

  #fail(error: CodedError): void {
    this.#error ||= error.wireText;
    this.#schedule();
  }
}

function gone(file: string): CodedError {
  return new CodedError("fileNotFound", `${file} is not there any more, or is something else`);
}
