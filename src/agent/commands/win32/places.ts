/** Where Windows is; set by it in every process. */
export const systemRoot = process.env["SystemRoot"] ?? "C:\\Windows";

/** The drive of it, as a folder. */
export const systemDrive = `${systemRoot.slice(0, 2)}\\`;

/** Not ComSpec: that is whatever somebody has set it to. */
export const cmdExe = `${systemRoot}\\System32\\cmd.exe`;

/** The folders that come with Windows and hold programs. */
export const systemPath = [
  `${systemRoot}\\System32`,
  systemRoot,
  `${systemRoot}\\System32\\Wbem`,
  `${systemRoot}\\System32\\WindowsPowerShell\\v1.0`,
  `${systemRoot}\\System32\\OpenSSH`,
].join(";");

/** A folder or file on a drive: neither a share, nor a device, nor relative to a drive's own working folder. */
export function isDrivePath(place: string): boolean {
  return /^[a-z]:[\\/]/i.test(place);
}
