import { open } from "node:fs/promises";
import { UsageError } from "../failure.ts";
import { localError } from "../files/local.ts";
import { standardInput } from "./standard-input.ts";

/** As large as the agent lets the whole file be. */
const mostBytes = 1024 * 1024;

/**
 * The keys that operands name: lines of authorized_keys, fingerprints, files with lines, or "-" for standard input. Throws
 * UsageError for private keys, which stay here, and HostError "local-file".
 */
export async function keysOf(operands: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for (const operand of operands) {
    if (isKey(operand)) {
      keys.push(operand.trim());
      continue;
    }
    const text = operand === "-" ? await standardInput(mostBytes) : await contentOf(operand);
    if (text.includes("PRIVATE KEY"))
      throw new UsageError(`${operand} is a PRIVATE key, which nobody should get; give the .pub beside it`);
    const found = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
    if (found.length === 0)
      throw new UsageError(`${operand === "-" ? "standard input" : operand} has no key`);
    keys.push(...found);
  }
  return keys;
}

/** A line has a blank before its key, which begins with the length of its type. File names hardly look so. */
function isKey(operand: string): boolean {
  return /^SHA256:/.test(operand) || /\sAAAA[A-Za-z0-9+/]/.test(operand);
}

async function contentOf(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      if ((await handle.stat()).size > mostBytes)
        throw new UsageError(`${file} has more than ${mostBytes} bytes; it is no file with keys`);
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof UsageError ? error : localError(file, error);
  }
}
