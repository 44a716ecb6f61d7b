import nodePath from "node:path";
import { HostError } from "../errors.ts";
import { checkAnswer } from "../commands/answer.ts";
import type { Session } from "../session.ts";
import { type FileInfo, fileInfo } from "./file-info.ts";
import type { FileOptions } from "./options.ts";

/** As many as Linux follows. */
const mostLinks = 40;

/** See Files.stat(). */
export async function stat(
  session: Session,
  path: string,
  { follow = true, signal }: FileOptions & { follow?: boolean | undefined },
): Promise<FileInfo> {
  let at = path;
  for (let links = 0; links <= mostLinks; links++) {
    const response = await session.request("fileStat", { path: at, follow }, { signal, cancel: true });
    checkAnswer(response);
    const info = fileInfo(response.entry, at);
    if (!follow || info.kind !== "symlink" || session.supports("files")) return info;
    // Agents without the extension follow none.
    at = nodePath.posix.resolve(nodePath.posix.dirname(at), info.symlinkTarget);
  }
  throw new HostError("agent-error", `${path} leads through more than ${mostLinks} links`);
}
