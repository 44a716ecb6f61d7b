const escape = "\u001b";
const enter = `${escape}[?1049h${escape}[?25l${escape}[?7l`; // alternate screen, no cursor, no wrapping
const leave = `${escape}[?7h${escape}[?25h${escape}[?1049l`;
/** Synchronized output: a terminal that knows it shows a frame whole; others ignore it. */
const [beginFrame, endFrame] = [`${escape}[?2026h${escape}[H`, `${escape}[J${escape}[?2026l`];
const clearToLineEnd = `${escape}[K`;

const ctrlZ = "\u001a";

export interface ScreenEvents {
  /** A key, or a sequence of bytes such as that of an arrow key. */
  key(key: string): void;
  /** The size is another, or what was drawn has gone: draw again. */
  changed(): void;
}

/** Whether a live picture can be drawn on standard output. */
export function canDraw(): boolean {
  return process.stdout.isTTY && process.env["TERM"] !== "dumb";
}

/**
 * The whole terminal, as its alternate screen. However the process ends, short of SIGKILL, the terminal is given
 * back as it was.
 */
export class Screen {
  readonly #events: ScreenEvents;
  #open = false;
  #shown = "";

  constructor(events: ScreenEvents) {
    this.#events = events;
    process.on("exit", this.#leave);
    process.on("uncaughtExceptionMonitor", this.#leave);
    process.on("SIGCONT", this.#enter);
    process.stdout.on("resize", this.#changed);
    process.stdin.on("data", this.#key);
    this.#enter();
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  /** Shows these lines from the top; what does not fit below is left out. Lines must not be wider than `columns`. */
  draw(lines: readonly string[]): void {
    const frame = lines.slice(0, this.rows).join(`${clearToLineEnd}\r\n`) + clearToLineEnd;
    if (!this.#open || frame === this.#shown) return;
    this.#shown = frame;
    process.stdout.write(beginFrame + frame + endFrame);
  }

  /** Idempotent. */
  close(): void {
    process.off("exit", this.#leave);
    process.off("uncaughtExceptionMonitor", this.#leave);
    process.off("SIGCONT", this.#enter);
    process.stdout.off("resize", this.#changed);
    process.stdin.off("data", this.#key);
    process.stdin.pause();
    this.#leave();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Also when somebody else has continued a stopped process: the shell has used the terminal meanwhile. */
  readonly #enter = (): void => {
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.resume();
    process.stdout.write(enter);
    this.#open = true;
    this.#changed();
  };

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdout.write(leave);
  };

  readonly #changed = (): void => {
    this.#shown = "";
    this.#events.changed();
  };

  readonly #key = (data: Buffer): void => {
    const key = data.toString("latin1");
    if (key === ctrlZ) this.#suspend();
    else this.#events.key(key);
  };

  /** What Ctrl-Z does in a terminal that is not in raw mode: the whole job stops. */
  #suspend(): void {
    this.#leave();
    process.kill(0, "SIGTSTP");
    this.#enter();
  }
}
