import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { DownloadTreeOptions } from "./options.ts";
import type { DownloadTreeResult } from "./results.ts";

/** See Files.downloadTree(). */
export async function downloadTree(
  session: Session,
  path: string,
  localFolder: string,
  options: DownloadTreeOptions,
): Promise<DownloadTreeResult> {
  await Promise.resolve([session, localFolder, options]);
  throw new HostError("not-supported", `${path}: to be filled in`);
}
