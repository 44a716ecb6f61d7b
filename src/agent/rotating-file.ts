import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { isErrno } from "./files/file-error.ts";

export interface RotatingFileOptions {
  file: string;
  /** A file that has more is put aside as FILE.1, the one before as FILE.2 and so on, and a new one begun. */
  maxBytes: number;
  /** That are kept, the one that is written to counted. */
  maxFiles: number;
}

interface OpenFile {
  handle: FileHandle;
  size: number;
  lookedAt: number;
}

/** Lines that wait for the disk, in UTF-16 units; beyond this the newest are dropped. */
const maxWaiting = 1024 * 1024;

/** Written at a time. */
const batchBytes = 64 * 1024;

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** So often it is looked at whether somebody has moved the file. */
const lookMs = 5_000;

/**
 * A file of lines that never holds up who writes them, and never gives up: when the disk is full, or the folder gone, lines
 * wait in memory and the file is opened again and again. Only its owner may read it. Our own, since rotating-file-stream loses
 * what a full disk does not take, and is closed for ever by the first error.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  /** Oldest first; those that are being written are still here. */
  readonly #waiting: string[] = [];
  #waitingUnits = 0;
  #dropped = 0;
  #open: OpenFile | undefined;
  /** The file ends within a line. */
  #isCut = false;
  #isHeld = false;
  #failure: Error | undefined;
  #isClosed = false;
  #writing: Promise<void> | undefined;
  #endPause: (() => void) | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Why nothing can be written now; undefined when it can. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Lines dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Whether the line, which ends with a newline, was taken. */
  write(line: string): boolean {
    if (this.#isClosed || this.#waitingUnits + line.length > maxWaiting) {
      this.#dropped++;
      return false;
    }
    this.#waiting.push(line);
    this.#waitingUnits += line.length;
    this.#start();
    return true;
  }

  /** Nothing is written until release(). */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#start();
  }

  /** Resolves when all is written, or cannot be now. Nothing is taken afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause?.();
    await this.#writing;
    await this.#closeFile();
  }

  #start(): void {
    if (this.#isHeld) return;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (this.#waiting.length > 0 && !this.#isHeld) {
      try {
        await this.#writeSome();
        this.#failure = undefined;
        pauseMs = firstPauseMs;
      } catch (error) {
        this.#failure = error as Error;
        await this.#closeFile();
        if (this.#isClosed) return;
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  }

  async #writeSome(): Promise<void> {
    const opened = await this.#openFile();
    const start = this.#isCut ? "\n" : "";
    const batch: Buffer[] = [Buffer.from(start)];
    let bytes = start.length;
    for (const line of this.#waiting) {
      if (batch.length > 1 && bytes + line.length > batchBytes) break;
      batch.push(Buffer.from(line));
      bytes += batch.at(-1)?.length ?? 0;
    }
    const data = Buffer.concat(batch);
    let written = 0;
    try {
      // A disk that becomes full takes less than it is given.
      while (written < data.length) {
        const { bytesWritten } = await opened.handle.write(data, written);
        written += bytesWritten;
      }
    } finally {
      opened.size += written;
      this.#taken(batch, written);
    }
    if (opened.size >= this.#options.maxBytes) await this.#rotate();
  }

  /** Of a batch so many bytes are in the file. */
  #taken([start = Buffer.alloc(0), ...lines]: Buffer[], written: number): void {
    let left = written - start.length;
    if (left < 0) return;
    this.#isCut = false;
    for (const line of lines) {
      if (left < line.length) {
        this.#isCut = left > 0;
        return;
      }
      left -= line.length;
      this.#waitingUnits -= this.#waiting.shift()?.length ?? 0;
    }
  }

  async #openFile(): Promise<OpenFile> {
    const { file } = this.#options;
    const now = performance.now();
    if (this.#open && now - this.#open.lookedAt > lookMs) {
      this.#open.lookedAt = now;
      if (!(await isAt(this.#open.handle, file))) await this.#closeFile();
    }
    if (this.#open) return this.#open;
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, "a+", 0o600);
    try {
      const { size } = await handle.stat();
      this.#isCut = size > 0 && !(await endsLine(handle, size));
      this.#open = { handle, size, lookedAt: now };
      return this.#open;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #rotate(): Promise<void> {
    const { file, maxFiles } = this.#options;
    await this.#closeFile();
    const names = [file, ...Array.from({ length: maxFiles - 1 }, (_, i) => `${file}.${i + 1}`)];
    await rm(names.at(-1) ?? file, { force: true });
    for (let i = names.length - 1; i > 0; i--) {
      await rename(names[i - 1] ?? "", names[i] ?? "").catch((error: unknown) => {
        if (!isErrno(error, "ENOENT")) throw error;
      });
    }
  }

  async #closeFile(): Promise<void> {
    const { handle } = this.#open ?? {};
    this.#open = undefined;
    // What could not be written has been told by write().
    await handle?.close().catch(() => undefined);
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = undefined;
  }
}

async function isAt(handle: FileHandle, file: string): Promise<boolean> {
  const [opened, named] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)]);
  return named !== undefined && opened.ino === named.ino && opened.dev === named.dev;
}

async function endsLine(handle: FileHandle, size: number): Promise<boolean> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] === 0x0a;
}
