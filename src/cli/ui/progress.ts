import { cut } from "./width.ts";

const refreshMs = 500;
const lineStart = "\r";
/** Below too: a line that was longer than the terminal now is wide has become several. */
const clearToEnd = "\u001b[J";

/** One line on standard error that changes while somebody waits; nothing when that is not a terminal. */
export class Progress {
  #timer: NodeJS.Timeout | undefined;
  #text: (columns: number) => string = () => "";

  /** Whether show() shows anything. */
  static get isSeen(): boolean {
    return process.stderr.isTTY && process.env["TERM"] !== "dumb";
  }

  /** `text` is made anew for each drawing, for this many columns. What a guest said in it must be printable() already. */
  show(text: (columns: number) => string): void {
    if (!Progress.isSeen) return;
    this.#text = text;
    this.#timer ??= setInterval(() => {
      this.#draw();
    }, refreshMs).unref();
    this.#draw();
  }

  /** Clears the line. */
  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    process.stderr.write(lineStart + clearToEnd);
  }

  #draw(): void {
    // In the last column some terminals begin a new line.
    const columns = (process.stderr.columns || 80) - 1;
    // The cursor goes back, so that a "^C" that the terminal shows is on this line, and goes with it.
    process.stderr.write(lineStart + cut(this.#text(columns), columns) + clearToEnd + lineStart);
  }
}
