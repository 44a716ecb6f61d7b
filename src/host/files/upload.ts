import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { UploadOptions } from "./options.ts";
import type { TransferResult } from "./results.ts";

/** See Files.upload(). */
export async function upload(
  session: Session,
  localPath: string,
  path: string,
  options: UploadOptions,
): Promise<TransferResult> {
  await Promise.resolve([session, localPath, options]);
  throw new HostError("not-supported", `${path}: to be filled in`);
}
