// What a Linux guest is given, and where: the one list that every package for Linux is made from.
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { root } from "../stamps.mjs";

/** Where the executable and what it loads are: only root can write there. */
export const programFolder = "/usr/lib/limiquantix-agent";

/** Files of an administrator: an upgrade keeps them as they are. */
export const configFiles = ["/etc/limiquantix/agent.yaml"];

/** [where, mode]: of the agent, and of an administrator's hooks. */
export const folders = [
  ["/etc/limiquantix", 0o755],
  ["/etc/limiquantix/pre-freeze.d", 0o755],
  ["/etc/limiquantix/post-thaw.d", 0o755],
  ["/var/lib/limiquantix", 0o700],
];

/** [where, file of this repository, mode] */
const files = [
  ["/etc/limiquantix/agent.yaml", "packaging/config/agent.yaml", 0o644],
  ["/usr/lib/udev/rules.d/60-limiquantix-agent.rules", "packaging/udev/60-limiquantix-agent.rules", 0o644],
  ["/usr/lib/systemd/system/limiquantix-agent.service", "packaging/systemd/limiquantix-agent.service", 0o644],
  // For guests without systemd; install.sh puts the one that is needed into /etc/init.d.
  ["/usr/share/limiquantix-agent/init/openrc", "packaging/openrc/limiquantix-agent", 0o755],
  ["/usr/share/limiquantix-agent/init/sysv", "packaging/sysv/limiquantix-agent", 0o755],
];

/** Puts all of it for "linux-x64" or "linux-arm64", whose executables are built, under the empty `folder`. */
export function stage(platform, folder) {
  const at = (name) => path.join(folder, name);
  for (const [name, mode] of folders) {
    mkdirSync(at(name), { recursive: true });
    chmodSync(at(name), mode);
  }
  for (const [name, from, mode] of files) {
    mkdirSync(path.dirname(at(name)), { recursive: true, mode: 0o755 });
    cpSync(path.join(root, from), at(name));
    chmodSync(at(name), mode);
  }
  const built = path.join(root, "dist/executable", platform, "limiquantix-agent");
  mkdirSync(at(programFolder), { recursive: true, mode: 0o755 });
  for (const name of readdirSync(built)) {
    const file = at(path.join(programFolder, name));
    cpSync(path.join(built, name), file);
    chmodSync(file, name === "limiquantix-agent" ? 0o755 : 0o644);
  }
  mkdirSync(at("/usr/bin"), { recursive: true, mode: 0o755 });
  symlinkSync("../lib/limiquantix-agent/limiquantix-agent", at("/usr/bin/limiquantix-agent"));
}
