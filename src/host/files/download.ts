import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { DownloadOptions } from "./options.ts";
import type { TransferResult } from "./results.ts";

/** See Files.download(). */
export async function download(
  session: Session,
  path: string,
  localPath: string,
  options: DownloadOptions,
): Promise<TransferResult> {
  await Promise.resolve([session, localPath, options]);
  throw new HostError("not-supported", `${path}: to be filled in`);
}
