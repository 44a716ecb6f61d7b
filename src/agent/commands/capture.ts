import { withDeadline } from "../deadline.ts";
import { commandSystem } from "../platform/commands.ts";
import type { OutputPipe } from "./output-pipe.ts";

const readBytes = 64 * 1024;

/** Small reads are joined up to this: as many pieces as bytes would cost a hundred times the bytes. */
const pieceBytes = 4096;

/** Reads in a row before other work gets its turn: a command may print without end. */
const readsPerTurn = 16;

/** How long output is waited for when the command has ended and children of it still hold the pipes. */
const drainMs = 100;

/** Reads all that a pipe gives, so that the command never waits, and keeps the first `maxBytes` of it. */
export class Capture {
  /** Resolves when nobody can write any more, or the pipe was closed. */
  readonly ended: Promise<void>;
  readonly #pipe: OutputPipe;
  readonly #maxBytes: number;
  readonly #pieces: Buffer[] = [];
  #keptBytes = 0;
  #truncated = false;
  #onEnd: () => void = () => undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(pipe: OutputPipe, maxBytes: number) {
    this.#pipe = pipe;
    this.#maxBytes = maxBytes;
    this.ended = new Promise((resolve) => (this.#onEnd = resolve));
    pipe.watch(() => {
      this.#turn ??= setImmediate(() => {
        this.read();
      });
    });
    this.read();
  }

  /** Takes what there is now. */
  read(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const buffer = scratch();
    for (let reads = 0; this.#pipe.mayHaveMore; reads++) {
      if (reads === readsPerTurn) {
        this.#turn = setImmediate(() => {
          this.read();
        });
        return;
      }
      const count = this.#pipe.read(buffer);
      if (count > 0) this.#keep(buffer.subarray(0, count));
    }
    if (this.#pipe.ended) this.#onEnd();
  }

  /** Takes no more. */
  close(): void {
    clearImmediate(this.#turn);
    this.#pipe.close();
    this.#onEnd();
  }

  /** There will be no more. */
  get hasEnded(): boolean {
    return this.#pipe.ended;
  }

  /** There was more than could be kept. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** What was kept, as valid UTF-8 of at most `maxBytes`. Bytes that are none become U+FFFD, or what Windows takes them for. */
  text(): string {
    if (this.#pieces.length === 0) return "";
    const bytes = Buffer.concat(this.#pieces);
    const text = commandSystem.textOf(this.#truncated ? bytes.subarray(0, wholeCharacters(bytes)) : bytes);
    if (Buffer.byteLength(text) <= this.#maxBytes) return text;
    // Each byte that is no UTF-8 has become three.
    this.#truncated = true;
    const cut = Buffer.from(text).subarray(0, this.#maxBytes);
    return cut.toString("utf8", 0, wholeCharacters(cut));
  }

  #keep(bytes: Buffer): void {
    const room = this.#maxBytes - this.#keptBytes;
    if (bytes.length > room) this.#truncated = true;
    if (room <= 0) return;
    const kept = bytes.subarray(0, room);
    const last = this.#pieces.at(-1);
    if (last && last.length + kept.length <= pieceBytes) {
      this.#pieces[this.#pieces.length - 1] = Buffer.concat([last, kept]);
    } else {
      this.#pieces.push(Buffer.from(kept));
    }
    this.#keptBytes += kept.length;
  }
}

/** Resolves when all of them have ended, or soon: what a command has left running may hold its pipes for ever. */
export async function drained(captures: readonly Capture[]): Promise<void> {
  if (captures.every(({ hasEnded }) => hasEnded)) return;
  const ended = Promise.all(captures.map((capture) => capture.ended));
  await withDeadline(ended, drainMs).catch(() => undefined);
}

let shared: Buffer | undefined;

/** What is read is copied out at once, so all captures share the memory. */
function scratch(): Buffer {
  return (shared ??= Buffer.allocUnsafeSlow(readBytes));
}

/** Length without a UTF-8 character at the end that is cut off. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
