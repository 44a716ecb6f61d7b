import { UsageError } from "../failure.ts";

/** Reads all of standard input, as UTF-8. Throws a UsageError for more than `mostBytes`. */
export async function standardInput(mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw new UsageError(`standard input has more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
