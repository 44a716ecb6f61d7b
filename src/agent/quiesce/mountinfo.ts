/** One line of /proc/self/mountinfo. */
export interface Mount {
  id: number;
  parent: number;
  /** "254:1"; "0:41" for what is on no block device, or on several. */
  device: string;
  /** What of the file system is mounted; "/" is all of it. */
  root: string;
  mountPoint: string;
  /** "ext4", "fuse.sshfs" */
  type: string;
  /** "/dev/vda1" */
  source: string;
  /** The file system itself, not only this mount of it. */
  readOnly: boolean;
}

// Documentation/filesystems/proc.rst, 3.5; the source may be empty:
// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
const line = /^(\d+) (\d+) (\d+:\d+) (\S+) (\S+) \S+(?: \S+)*? - (\S+) (\S*) (\S+)$/;

/** In the order in which they were mounted. Lines that do not parse are left out. */
export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").flatMap((each) => {
    const [, id, parent, device = "", root = "", mountPoint = "", type = "", source = "", options = ""] =
      line.exec(each) ?? [];
    if (id === undefined) return [];
    return {
      id: Number(id),
      parent: Number(parent),
      device,
      root: unescape(root),
      mountPoint: unescape(mountPoint),
      type: unescape(type),
      source: unescape(source),
      readOnly: options.split(",").includes("ro"),
    };
  });
}

/** fs/proc_namespace.c writes blank, tab, newline, backslash and '#' as \ooo. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The mount that a path without links is in: of those on the longest way to it, the last, which covers the others. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (!isIn(path, mount.mountPoint)) continue;
    if (best === undefined || mount.mountPoint.length >= best.mountPoint.length) best = mount;
  }
  return best;
}

function isIn(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
