import { CodedError } from "../../wire/errors.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import { openParent } from "./folder.ts";
import { close } from "./io.ts";
import { ownerIds, unchanged } from "./owner.ts";
import { type FileStats, system } from "./system/index.ts";

export interface Attributes {
  /** 0 leaves it. */
  mode: number;
  /** Names or numbers; "" leaves them. */
  owner: string;
  group: string;
  /** Seconds since 1970. */
  modifiedAt: number | undefined;
}

/**
 * Sets what a file is besides its contents; what is left out stays, except that a file with another owner loses its setuid
 * bits unless `mode` has them, as the kernel has it. Throws CodedError writeBlocked, noSuchUser, noSuchGroup,
 * invalidMessage for the mode of a link, and the system's error.
 */
export async function setAttributes(
  place: string,
  attributes: Attributes,
  follow: boolean,
  policy: PathPolicy,
): Promise<void> {
  const ids = await ownerIds(attributes.owner, attributes.group);
  const fd = await system.openPath(place, { follow });
  try {
    const stats = await system.fstat(fd);
    if (stats.isSymbolicLink()) {
      await setOfLink(place, attributes, ids, policy);
      return;
    }
    await policy.checkWrite(await system.realPathOf(fd));
    const changesOwner = ids.uid !== unchanged || ids.gid !== unchanged;
    if (changesOwner) await system.chown(fd, ids.uid, ids.gid);
    if (attributes.mode !== 0) await system.chmod(fd, attributes.mode & 0o7777); // behind chown, which clears setuid
    if (attributes.modifiedAt !== undefined) await system.utimes(fd, accessed(stats), attributes.modifiedAt);
  } finally {
    close(fd);
  }
}

async function setOfLink(
  place: string,
  { mode, modifiedAt }: Attributes,
  { uid, gid }: { uid: number; gid: number },
  policy: PathPolicy,
): Promise<void> {
  if (mode !== 0)
    throw new CodedError("invalidMessage", `${place} is a link: it has no mode that could be set`);
  const { folder, name } = await openParent(place, {
    create: false,
    check: (real) => policy.checkWrite(real),
  });
  try {
    if (uid !== unchanged || gid !== unchanged) await system.lchown(folder, name, uid, gid);
    // The time of its last reading is of no use to anybody.
    if (modifiedAt !== undefined) await system.lutimes(folder, name, modifiedAt, modifiedAt);
  } finally {
    folder.close();
  }
}

function accessed({ atimeNs }: FileStats): number {
  return Number(atimeNs) / 1e9;
}
