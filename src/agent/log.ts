import { mkdirSync } from "node:fs";
import path from "node:path";
import { type LevelWithSilent, type Logger, pino } from "pino";
import sonicBoom from "sonic-boom";
import type { Config } from "./config/config.ts";
import { journalLine } from "./journal.ts";

export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error">;

/** Lines waiting for a reader of standard error that does not read; beyond this they are dropped. */
const maxWaitingBytes = 1024 * 1024;

/** Lines held while they may not be written; of more the oldest are dropped. */
const maxHeldBytes = 256 * 1024;

export interface LogSink {
  log: Log;
  /** Into the same place, whatever the level of the log is. */
  audit: Log;
  /** Writes out what is waiting, for at most `deadlineMs`: a blocked reader must not keep the agent from ending. */
  flush: (deadlineMs: number) => Promise<void>;
  /** Keeps lines in memory, since whoever writes them could hang, until what it gives is called. */
  hold: () => () => void;
}

type LogOptions = Pick<
  Config,
  "log_level" | "log_format" | "log_file" | "log_max_size_bytes" | "log_max_files"
>;

/** Gets each line too, as JSON. */
export interface LogTap {
  write(line: string): void;
}

/**
 * The agent's log: to standard error, or to a file that is rotated by size. Writing never blocks the agent. `isJournal`:
 * standard error is journald's.
 */
export async function openLog(options: LogOptions, tap?: LogTap, isJournal = false): Promise<LogSink> {
  const output = options.log_file === "" ? standardError() : await rotatingFile(options);
  const held = new HeldOutput(output.stream);
  const format = options.log_format;
  const target =
    isJournal && options.log_file === ""
      ? forJournal(held, format === "json")
      : format === "text"
        ? await forPeople(held)
        : held;
  const log = pino(
    {
      level: options.log_level satisfies LevelWithSilent,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    tap === undefined ? target : tapped(target, tap),
  );
  const hold = (): (() => void) => {
    held.hold();
    return () => {
      const dropped = held.release();
      if (dropped > 0) log.warn({ dropped }, "log lines were dropped while file systems were frozen");
    };
  };
  return { log, audit: log.child({}, { level: "info" }), flush: output.flush, hold };
}

function tapped(target: Output["stream"], tap: LogTap): Output["stream"] {
  return {
    write(line) {
      tap.write(line);
      return target.write(line);
    },
  };
}

interface Output {
  stream: { write(line: string): unknown };
  flush: (deadlineMs: number) => Promise<void>;
}

/** Passes lines on, or keeps the newest of them for as long as they are held. */
export class HeldOutput {
  readonly #stream: Output["stream"];
  #held: string[] | undefined;
  #heldBytes = 0;
  #dropped = 0;

  constructor(stream: Output["stream"]) {
    this.#stream = stream;
  }

  write(line: string): unknown {
    if (this.#held === undefined) return this.#stream.write(line);
    this.#held.push(line);
    this.#heldBytes += line.length;
    while (this.#heldBytes > maxHeldBytes && this.#held.length > 1) {
      this.#heldBytes -= this.#held.shift()?.length ?? 0;
      this.#dropped++;
    }
    return true;
  }

  hold(): void {
    this.#held ??= [];
  }

  /** Writes what was held; gives how many lines were dropped. Idempotent. */
  release(): number {
    const lines = this.#held ?? [];
    const dropped = this.#dropped;
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#dropped = 0;
    for (const line of lines) this.#stream.write(line);
    return dropped;
  }
}

function standardError(): Output {
  const stream = new sonicBoom.SonicBoom({ fd: 2, sync: false, maxLength: maxWaitingBytes });
  stream.on("error", () => undefined); // nobody is left to be told
  return {
    stream,
    flush: (deadlineMs) =>
      within(deadlineMs, (done) => {
        stream.flush(done);
      }),
  };
}

async function rotatingFile(options: LogOptions): Promise<Output> {
  const { createStream } = await import("rotating-file-stream");
  mkdirSync(path.dirname(options.log_file), { recursive: true });
  const stream = createStream(path.basename(options.log_file), {
    path: path.dirname(options.log_file),
    size: `${options.log_max_size_bytes}B`,
    // The file itself counts as one.
    maxFiles: options.log_max_files - 1,
    mode: 0o600,
  });
  stream.on("error", () => undefined); // a full disk: the agent goes on without its log
  const write = (line: string): unknown => stream.writableLength < maxWaitingBytes && stream.write(line);
  return {
    stream: { write },
    flush: (deadlineMs) =>
      within(deadlineMs, (done) => {
        stream.end(done);
      }),
  };
}

function forJournal(output: Output["stream"], asJson: boolean): Output["stream"] {
  return { write: (line) => output.write(journalLine(line, { asJson })) };
}

async function forPeople(output: Output["stream"]): Promise<Output["stream"]> {
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize: process.stderr.isTTY,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });
  return { write: (line) => output.write(pretty(line)) };
}

async function within(deadlineMs: number, start: (done: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, deadlineMs);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Lets the first few lines of one kind through and then one in `everyMs`, saying how many were left out. */
export class LogLimiter {
  #tokens = burst;
  #leftOut = 0;
  #refilledAt = performance.now();

  /** Whether to write a line now; gives the number of lines left out since the last one. */
  admit(): { leftOut: number } | undefined {
    const now = performance.now();
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#refilledAt) / everyMs);
    this.#refilledAt = now;
    if (this.#tokens < 1) {
      this.#leftOut++;
      return undefined;
    }
    this.#tokens--;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return { leftOut };
  }
}

const burst = 20;
const everyMs = 5_000;
