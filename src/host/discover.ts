import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { HostError } from "./errors.ts";

/** A VM whose agent channel has a socket on this host. */
export interface DiscoveredVm {
  /** The VM's id (limiquantix, quantix-kvm) or its domain name (libvirt). */
  name: string;
  /** libvirt's number of the running domain. */
  domainId?: string;
  socket: string;
  source: "limiquantix" | "quantix-kvm" | "libvirt";
}

export interface DiscoverOptions {
  /** The folder that the well-known places are looked for in; "/" unless a host keeps them elsewhere. */
  root?: string;
  /** Told of each folder that this user may not look into; the others are searched all the same. */
  onUnreadable?: (folder: string) => void;
}

const channelNames = ["org.limiquantix.agent.0", "org.quantix.agent.0"];
const socketFolders = [
  { folder: "var/run/limiquantix/vms", source: "limiquantix" },
  { folder: "var/run/quantix-kvm/vms", source: "quantix-kvm" },
] as const;
const libvirtFolder = "run/libvirt/qemu/channel";

/** Where discover() looks, below its root. */
export const discoveryFolders = [...socketFolders.map(({ folder }) => folder), libvirtFolder];
const socketSuffix = ".agent.sock";

/** Every agent socket in the well-known places, sorted by name. Folders that are not there hold none. */
export async function discover({ root = "/", onUnreadable }: DiscoverOptions = {}): Promise<DiscoveredVm[]> {
  const found: DiscoveredVm[] = [];
  for (const { folder, source } of socketFolders) {
    for (const file of await list(path.join(root, folder), onUnreadable)) {
      const socket = path.join(root, folder, file);
      if (!file.endsWith(socketSuffix) || !(await isSocket(socket))) continue;
      found.push({ name: file.slice(0, -socketSuffix.length), socket, source });
    }
  }
  for (const domain of await list(path.join(root, libvirtFolder), onUnreadable)) {
    // {domain-id}-{domain-name}: the id is a number, the name may hold dashes.
    const [, domainId, name] = /^(\d+)-(.+)$/.exec(domain) ?? [];
    if (domainId === undefined || name === undefined) continue;
    for (const channel of channelNames) {
      const socket = path.join(root, libvirtFolder, domain, channel);
      if (await isSocket(socket)) found.push({ name, domainId, socket, source: "libvirt" });
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The one VM with exactly this name or id. A part of a name never matches: it would reach another VM. */
export async function findVm(vm: string, options: DiscoverOptions = {}): Promise<DiscoveredVm> {
  const unreadable: string[] = [];
  const all = await discover({ ...options, onUnreadable: (folder) => unreadable.push(folder) });
  const matching = all.filter(({ name, domainId }) => name === vm || domainId === vm);
  const [match, ...others] = matching;
  if (match === undefined) {
    if (unreadable.length > 0) {
      const folders = unreadable.join(" or ");
      throw new HostError(
        "permission-denied",
        `no VM named ${vm} can be seen, and ${folders} may not be looked into; try as root`,
      );
    }
    const known =
      all.length > 0 ? `Known here: ${all.map(({ name }) => name).join(", ")}.` : "No VM was found here.";
    throw new HostError(
      "not-found",
      `no VM is named ${vm}. ${known} A socket elsewhere can be given by its path.`,
    );
  }
  if (others.length > 0) {
    const sockets = matching.map(({ socket }) => `\n  ${socket}`).join("");
    throw new HostError(
      "ambiguous",
      `${matching.length} VMs are named ${vm}; give the socket of one of them:${sockets}`,
    );
  }
  return match;
}

async function list(folder: string, onUnreadable?: (folder: string) => void): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    if (code === "EACCES") {
      onUnreadable?.(folder);
      return [];
    }
    throw error;
  }
}

async function isSocket(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSocket();
  } catch {
    return false; // gone meanwhile: the VM has just stopped
  }
}
