import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { HostError } from "../../host/errors.ts";

/**
 * Asks at the terminal for a line that is not shown. Rejects as `signal` says, and with a HostError "aborted" on Ctrl-C and
 * Ctrl-D. Node's readline does all of it but the silence; the libraries that add that need a newer Node.
 */
export async function askHidden(question: string, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  process.stderr.write(question);
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  try {
    return await new Promise<string>((resolve, reject) => {
      const give = (): void => {
        reject(new HostError("aborted", "no password was given"));
      };
      reader.once("line", resolve);
      reader.once("SIGINT", give);
      reader.once("close", give);
      signal.addEventListener(
        "abort",
        () => {
          reject(signal.reason as Error);
        },
        { once: true },
      );
      if (signal.aborted) reject(signal.reason as Error);
    });
  } finally {
    reader.close();
    process.stderr.write("\n");
  }
}
