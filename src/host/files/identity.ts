import type { FileInfo } from "./file-info.ts";

/** Another one when the contents may be others: `version`, or what there is of agents that tell none. */
export function identityOf({ version, sizeBytes, modifiedAt }: FileInfo): string {
  return version === "" ? `${sizeBytes}@${modifiedAt.getTime()}` : version;
}
