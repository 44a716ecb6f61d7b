import { printable } from "./printable.ts";
import { cut } from "./width.ts";

const refreshMs = 500;
const lineStart = "\r";
const clearToLineEnd = "\u001b[K";

/** One line on standard error that changes while somebody waits; nothing when that is not a terminal. */
export class Progress {
  #timer: NodeJS.Timeout | undefined;
  #text: () => string = () => "";

  show(text: () => string): void {
    if (!process.stderr.isTTY || process.env["TERM"] === "dumb") return;
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
    process.stderr.write(lineStart + clearToLineEnd);
  }

  #draw(): void {
    const columns = process.stderr.columns || 80;
    process.stderr.write(lineStart + cut(printable(this.#text()), columns - 1) + clearToLineEnd);
  }
}
