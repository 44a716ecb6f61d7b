import { codeText } from "../../wire/errors.ts";
import { type Guest, hasAgentCode } from "./guest.ts";
import type { FileInfo } from "../../host/index.ts";

/** What is at a path in the guest, behind all links; undefined when there is nothing. */
export async function statIfThere(
  { files, signal }: Pick<Guest, "files" | "signal">,
  path: string,
): Promise<FileInfo | undefined> {
  try {
    return await files.stat(path, { signal });
  } catch (error) {
    if (hasAgentCode(error, codeText("fileNotFound"), codeText("noParentDirectory"))) return undefined;
    throw error;
  }
}
