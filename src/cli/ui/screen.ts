const escape = "\u001b";
const enter = `${escape}[?1049h${escape}[?25l${escape}[?7l`; // alternate screen, no cursor, no wrapping
// Cleared first: after a resize tmux 3.3 leaves lines of it behind on the main screen otherwise.
const leave = `${escape}[2J${escape}[?7h${escape}[?25h${escape}[?1049l`;
/** Synchronized output: a terminal that knows it shows a frame whole; others ignore it. */
const [beginFrame, endFrame] = [`${escape}[?2026h${escape}[H`, `${escape}[?2026l`];
const clearToLineEnd = `${escape}[K`;

export const keys = { ctrlC: "\u0003", ctrlZ: "\u001a" } as const;

export interface ScreenEvents {
  /** A key, or a sequence of bytes such as that of an arrow key. */
  key(key: string): void;
  /** It is time to draw: the size is another, what was drawn has gone, or redraw() was called. */
  changed(screen: Screen): void;
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
    process.stdout.on("resize", this.#resized);
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
    const frame = lines
      .slice(0, this.rows)
      // Before the text: behind a line as wide as the screen it would clear the last character.
      .map((line) => clearToLineEnd + line)
      .join("\r\n");
    if (!this.#open || frame === this.#shown) return;
    this.#shown = frame;
    process.stdout.write(beginFrame + frame + endFrame);
  }

  redraw(): void {
    this.#events.changed(this);
  }

  /** Idempotent. */
  close(): void {
    process.off("exit", this.#leave);
    process.off("uncaughtExceptionMonitor", this.#leave);
    process.off("SIGCONT", this.#enter);
    process.stdout.off("resize", this.#resized);
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
    this.#resized();
  };

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdout.write(leave);
  };

  readonly #resized = (): void => {
    this.#shown = "";
    this.redraw();
  };

  readonly #key = (data: Buffer): void => {
    const key = data.toString("latin1");
    if (key === keys.ctrlZ) this.#suspend();
    else this.#events.key(key);
  };

  /** What Ctrl-Z does in a terminal that is not in raw mode: the whole job stops. */
  #suspend(): void {
    this.#leave();
    process.kill(0, "SIGTSTP");
    this.#enter();
  }
}
