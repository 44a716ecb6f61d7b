import type { EventType, ServiceFunctions } from "../../native/service.ts";
import { withDeadline } from "../deadline.ts";
import type { LogTap } from "../log.ts";
import { serviceName } from "./command-line.ts";

/** What administrators may filter by. */
export const eventId = { started: 1, stopped: 2, warning: 3, error: 4 } as const;

interface Event {
  type: EventType;
  id: number;
  text: string;
}

/** Waiting for the log's service; of more the newest are dropped. */
const maxWaiting = 100;

/** In characters; ReportEvent takes 31,839. */
const maxTextLength = 8_192;

/** pino writes the level first. */
const levels = [
  { start: '{"level":"warn"', type: "warning", id: eventId.warning },
  { start: '{"level":"error"', type: "error", id: eventId.error },
] as const;

/**
 * The agent's part of Windows' event log: that it has started and stopped, and the warnings and errors of its log. Writing never
 * waits. One event is on its way at a time, so that a log service that hangs holds one thread at most.
 */
export class EventLog implements LogTap {
  readonly #report: ServiceFunctions["reportEvent"];
  readonly #waiting: Event[] = [];
  #dropped = 0;
  #running: Promise<void> | undefined;

  constructor(report: ServiceFunctions["reportEvent"]) {
    this.#report = report;
  }

  /** A line of the log. */
  write(line: string): void {
    const level = levels.find(({ start }) => line.startsWith(start));
    if (level) this.add(level.type, level.id, textOf(line));
  }

  add(type: EventType, id: number, text: string): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#waiting.push({ type, id, text: presentable(text) });
    this.#running ??= this.#run();
  }

  /** Waits until all is written, for at most so long. */
  async flush(deadlineMs: number): Promise<void> {
    if (this.#running) await withDeadline(this.#running, deadlineMs).catch(() => undefined);
  }

  async #run(): Promise<void> {
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      const { type, id, text } = event;
      try {
        await this.#report(serviceName, type, id, text);
      } catch {
        // The log's file has it all the same, and there is nobody else to tell.
      }
      if (this.#waiting.length > 0 || this.#dropped === 0) continue;
      const dropped = `${this.#dropped} more warnings and errors came meanwhile; the log file has them`;
      this.#dropped = 0;
      this.#waiting.push({ type: "warning", id: eventId.warning, text: dropped });
    }
    this.#running = undefined;
  }
}

/** "QXGA-1003 the port failed; opening it again: EIO: i/o error", and the rest of what the line has below. */
function textOf(line: string): string {
  const { code, msg, err, ...others } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(others).filter(([name]) => name !== "level" && name !== "time");
  const error = typeof err === "object" && err !== null && "message" in err ? `: ${String(err.message)}` : "";
  const head = [code, msg].filter((part) => typeof part === "string").join(" ") + error;
  return rest.length === 0 ? head : `${head}\n${JSON.stringify(Object.fromEntries(rest))}`;
}

/** Without what would end the text or upset a viewer, and not too long. */
function presentable(text: string): string {
  const clean = text.replace(/[\0-\x08\x0b-\x1f\x7f]/g, "?");
  return (clean.length > maxTextLength ? `${clean.slice(0, maxTextLength)}…` : clean) || "?";
}
