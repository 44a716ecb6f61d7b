import type { Mount } from "./mountinfo.ts";

/** A file system, however often it is mounted. */
export interface FileSystem {
  /** Tells it from others. */
  key: string;
  /** All of them, the one that names it best first. */
  mounts: readonly [Mount, ...Mount[]];
  /** There is nothing in it to be frozen, and why. */
  unfit?: string;
}

/** Without a block device of their own, but on disks all the same. */
const onDisksWithoutDevice = new Set(["btrfs", "bcachefs", "zfs", "ubifs"]);

/** Other machines write to them too: they are theirs to freeze. */
const shared = new Set(["gfs2", "ocfs2", "lustre"]);

const remote = new Set([
  ...["nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "glusterfs", "9p", "virtiofs"],
  ...["vboxsf", "vmhgfs", "prl_fs", "orangefs", "beegfs"],
]);

/** Each once, in the order of their first mounts. */
export function fileSystemsOf(mounts: readonly Mount[]): FileSystem[] {
  const groups = new Map<string, [Mount, ...Mount[]]>();
  for (const mount of mounts) {
    const group = groups.get(keyOf(mount));
    if (group) group.push(mount);
    else groups.set(keyOf(mount), [mount]);
  }
  return [...groups].map(([key, group]) => {
    group.sort(byName);
    const unfit = whyNot(group[0]);
    return { key, mounts: group, ...(unfit !== undefined && { unfit }) };
  });
}

/** Subvolumes of Btrfs have device numbers of their own, and one file system. */
export function keyOf({ type, source, device }: Mount): string {
  return type === "btrfs" && source !== "" ? `btrfs ${source}` : device;
}

/** What it is told by. */
export function nameOf({ mounts: [mount] }: FileSystem): string {
  return mount.mountPoint;
}

function whyNot({ type, device, readOnly }: Mount): string | undefined {
  if (type === "overlay" || type === "aufs") {
    return "it is an overlay: freeze the file system that its upper folder is on";
  }
  if (/^fuse(blk|ctl)?(\.|$)/.test(type)) return "a FUSE file system cannot be frozen";
  if (remote.has(type)) return "it is on another machine";
  if (shared.has(type)) return "other machines write to it too";
  if (device.startsWith("0:") && !onDisksWithoutDevice.has(type)) return "it keeps nothing on a disk";
  return readOnly ? "it is read-only" : undefined;
}

function byName(a: Mount, b: Mount): number {
  return rank(a) - rank(b) || a.mountPoint.length - b.mountPoint.length;
}

function rank({ mountPoint, root }: Mount): number {
  return mountPoint === "/" ? 0 : root === "/" ? 1 : 2;
}
