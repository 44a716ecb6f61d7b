import { readFile, stat } from "node:fs/promises";
import { CodedError } from "../../wire/errors.ts";
import { fileError } from "../files/file-error.ts";
import { answerOf } from "../files/held-file.ts";
import { isErrno } from "../files/file-error.ts";

/** Some fifty thousand users. */
const mostBytes = 16 * 1024 * 1024;

const newline = 0x0a;

/**
 * The fields of a user's line in a file such as passwd(5) or shadow(5); undefined when there is none, or no such file.
 * Rejects with CodedError.
 */
export async function userEntry(file: string, user: string): Promise<string[] | undefined> {
  const content = await contentOf(file);
  try {
    const start = Buffer.from(`${user}:`);
    for (let at = content.indexOf(start); at >= 0; at = content.indexOf(start, at + 1)) {
      if (at > 0 && content[at - 1] !== newline) continue;
      const end = content.indexOf(newline, at);
      return content.toString("utf8", at, end < 0 ? content.length : end).split(":");
    }
    return undefined;
  } finally {
    content.fill(0);
  }
}

async function contentOf(file: string): Promise<Buffer> {
  const doing = `read ${file}`;
  try {
    const { size } = await answerOf(stat(file), doing);
    if (size > mostBytes) throw new CodedError("fileTooLarge", `cannot ${doing}: it has ${size} bytes`);
    return await answerOf(readFile(file), doing);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return Buffer.alloc(0);
    throw fileError(error, doing);
  }
}
