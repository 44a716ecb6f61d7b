import { on } from "node:events";
import { type Interface, createInterface } from "node:readline";
import { Writable } from "node:stream";
import { HostError } from "../../host/errors.ts";

/**
 * Lines that are typed at the terminal and not shown, until it is disposed of. Node's readline does all of it but the
 * silence; the libraries that add that need a newer Node than the rest.
 */
export class HiddenInput {
  readonly #reader: Interface;
  readonly #lines: NodeJS.AsyncIterator<unknown[]>;

  constructor(signal: AbortSignal) {
    const output = new Writable({
      write(_shown, _encoding, done) {
        done();
      },
    });
    this.#reader = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
    this.#lines = on(this.#reader, "line", { signal, close: ["close", "SIGINT"] });
  }

  /** Rejects with a HostError "aborted" on Ctrl-C and Ctrl-D, and when the signal is aborted. */
  async ask(question: string): Promise<string> {
    process.stderr.write(question);
    try {
      const next = await this.#lines.next();
      if (next.done !== true) return String(next.value[0]);
    } catch (cause) {
      throw new HostError("aborted", "no password was given", { cause });
    } finally {
      process.stderr.write("\n");
    }
    throw new HostError("aborted", "no password was given");
  }

  [Symbol.dispose](): void {
    this.#reader.close();
  }
}
