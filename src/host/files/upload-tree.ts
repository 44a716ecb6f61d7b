import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { UploadTreeOptions } from "./options.ts";
import type { UploadTreeResult } from "./results.ts";

/** See Files.uploadTree(). */
export async function uploadTree(
  session: Session,
  localFolder: string,
  path: string,
  options: UploadTreeOptions,
): Promise<UploadTreeResult> {
  await Promise.resolve([session, localFolder, options]);
  throw new HostError("not-supported", `${path}: to be filled in`);
}
