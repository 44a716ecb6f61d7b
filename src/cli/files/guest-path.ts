// Paths of guests, which are Linux's or Windows'. A path of this host never looks like one with a drive: "c:/x" names a VM.

const drive = /^[a-z]:[\\/]/i;

/** "C:\x" or "C:/x" */
export function isWindowsPath(path: string): boolean {
  return drive.test(path);
}

/** Whether a guest could have it. */
export function isAbsolute(path: string): boolean {
  return path.startsWith("/") || isWindowsPath(path);
}

/** What stands between its names: as it has been written, as Windows takes both. */
export function separatorOf(path: string): "/" | "\\" {
  return isWindowsPath(path) && path.includes("\\") ? "\\" : "/";
}

/** Where its last name begins. */
export function nameStart(path: string): number {
  return Math.max(path.lastIndexOf("/"), isWindowsPath(path) ? path.lastIndexOf("\\") : -1) + 1;
}

/** Whether it can only be a folder's. */
export function endsAsFolder(path: string): boolean {
  return path !== "" && nameStart(path) === path.length;
}

/** Without separators at its end, unless it is a root. */
export function withoutEnd(path: string): string {
  if (!isWindowsPath(path)) return path.length > 1 ? path.replace(/\/+$/, "") : path;
  return path.slice(0, 3) + path.slice(3).replace(/[\\/]+$/, "");
}
