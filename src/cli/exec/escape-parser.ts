/** What the user typed: bytes for the command, or an escape that is for us. */
export type Typed = Buffer | "help" | "end" | "detach";

export interface Escapes {
  /** "~d" is one too. */
  detach: boolean;
}

const tilde = 0x7e;
const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Finds escapes in what is typed, as ssh(1) has them: a tilde at the start of a line, and the key that follows. It
 * does not matter how the bytes are cut into chunks.
 */
export class EscapeParser {
  readonly #escapes: Escapes;
  #state: "line-start" | "tilde" | "line" | "over" = "line-start";

  constructor(escapes: Escapes) {
    this.#escapes = escapes;
  }

  /** Gives what a chunk holds, in order. A tilde waits for the next key; nothing comes behind "end" and "detach". */
  push(chunk: Uint8Array): Typed[] {
    const typed: Typed[] = [];
    let bytes: number[] = [];
    const flush = (): void => {
      if (bytes.length > 0) typed.push(Buffer.from(bytes));
      bytes = [];
    };
    for (const byte of chunk) {
      if (this.#state === "over") break;
      if (this.#state === "tilde") {
        const escape = this.#escapeOf(byte);
        if (escape !== undefined) {
          flush();
          typed.push(escape);
          this.#state = escape === "help" ? "line-start" : "over";
          continue;
        }
        if (byte !== tilde) bytes.push(tilde);
      } else if (this.#state === "line-start" && byte === tilde) {
        this.#state = "tilde";
        continue;
      }
      bytes.push(byte);
      this.#state = byte === newline || byte === carriageReturn ? "line-start" : "line";
    }
    flush();
    return typed;
  }

  #escapeOf(byte: number): Exclude<Typed, Buffer> | undefined {
    switch (String.fromCharCode(byte)) {
      case ".":
        return "end";
      case "?":
        return "help";
      case "d":
        return this.#escapes.detach ? "detach" : undefined;
      default:
        return undefined;
    }
  }
}

/** What "~?" prints, for a terminal in raw mode. */
export function escapeHelp({ detach }: Escapes): string {
  const lines = [
    "Escapes, at the start of a line:",
    "  ~.  end the command",
    ...(detach ? ["  ~d  detach, and leave it running"] : []),
    "  ~~  a tilde",
    "  ~?  this help",
  ];
  return `\r\n${lines.map((line) => `${line}\r\n`).join("")}`;
}
