/** Private modes that a program may leave behind, and how a terminal is when nobody has changed them. */
const usual: ReadonlyMap<number, boolean> = new Map([
  [1, false], // cursor keys of applications
  [7, true], // wrapping
  [25, true], // the cursor
  [47, false], // the alternate screen, in three ways
  [1047, false],
  [1049, false],
  [1000, false], // the mouse, and how it is told
  [1002, false],
  [1003, false],
  [1004, false],
  [1005, false],
  [1006, false],
  [1015, false],
  [2004, false], // bracketed paste
]);

const escape = 0x1b;
/** ESC [ ? 25 ; 1000 h: sets (h) or resets (l) modes. */
const modeChange = /\u001b\[\?([\d;]*)([hl])/g;
/** Its beginning, at the end of a chunk. Longer ones are none that matters here. */
const begun = /\u001b(?:\[(?:\?[\d;]{0,40})?)?$/;

/**
 * Follows what a program in the guest makes of the terminal. One that is cut off in the middle, by a lost
 * connection, does not clean up after itself.
 */
export class TerminalModes {
  readonly #changed = new Set<number>();
  #rest = "";
  #lastByte = 0x0a;

  /** Takes a piece of output; it does not matter how output is cut. */
  follow(chunk: Uint8Array): void {
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    if (this.#rest === "" && !chunk.includes(escape)) return;
    const text =
      this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    for (const [, modes = "", action] of text.matchAll(modeChange)) {
      for (const mode of modes.split(";").map(Number)) {
        const usually = usual.get(mode);
        if (usually === undefined) continue;
        if (usually === (action === "h")) this.#changed.delete(mode);
        else this.#changed.add(mode);
      }
    }
    this.#rest = begun.exec(text)?.[0] ?? "";
  }

  /** What makes the terminal usual again, and begins a line of our own. */
  undo(): string {
    const modes = [...this.#changed].map((mode) => `\u001b[?${mode}${usual.get(mode) ? "h" : "l"}`).join("");
    this.#changed.clear();
    // Colours and the like end too.
    const attributes = modes === "" ? "" : "\u001b[m";
    const line = this.#lastByte === 0x0a ? "" : "\r\n";
    this.#lastByte = 0x0a;
    return modes + attributes + line;
  }
}
