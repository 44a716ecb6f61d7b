import { realpath } from "node:fs/promises";
import { CodedError } from "../../wire/errors.ts";
import { withDeadline } from "../deadline.ts";
import { isErrno } from "../files/file-error.ts";
import { type FileSystem, fileSystemsOf, keyOf, nameOf } from "./file-systems.ts";
import type { Freezer } from "./freezer.ts";
import { type Mount, mountAt } from "./mountinfo.ts";
import { freezeOrder } from "./order.ts";

/** A file system, open. */
export interface Target {
  fileSystem: FileSystem;
  /** By which it was opened. */
  mount: Mount;
  fd: number;
  /** The host named it. */
  isNamed: boolean;
}

/** One that there is nothing to do with. */
export interface Skipped {
  mount: Mount;
  reason: string;
}

export interface Targets {
  /** In the order in which to freeze them. */
  open: Target[];
  skipped: Skipped[];
}

/** How long a mount point may take to be opened or looked up. */
const openMs = 10_000;

/** More descriptors than the guard takes make no sense either. */
const mostTargets = 256;
const mostNames = 1024;

/**
 * Opens what the host has named, or with no names all that can be frozen. Rejects with a CodedError mount: no such mount
 * point, or one that does not answer. Close them.
 */
export async function openTargets(freezer: Freezer, names: readonly string[]): Promise<Targets> {
  if (names.length > mostNames) {
    throw new CodedError("mount", `${names.length} mount points are named; at most ${mostNames} can be`);
  }
  const mounts = await freezer.mounts();
  const all = fileSystemsOf(mounts);
  const named = await select(all, mounts, names);
  const wanted = names.length === 0 ? all.filter(({ unfit }) => unfit === undefined) : [...named];
  const fit = wanted.filter(({ unfit }) => unfit === undefined);
  if (fit.length > mostTargets) {
    throw new CodedError("mount", `${fit.length} file systems; at most ${mostTargets} can be frozen at once`);
  }
  const skipped = wanted.flatMap(({ unfit, mounts: [mount] }) => (unfit ? [{ mount, reason: unfit }] : []));
  const opened: Target[] = [];
  try {
    for (const fileSystem of freezeOrder(fit, await freezer.standingOn(all, mounts))) {
      const isNamed = named.has(fileSystem);
      const found = await openOne(freezer, fileSystem);
      if (found) opened.push({ fileSystem, ...found, isNamed });
      else if (!isNamed) skipped.push({ mount: fileSystem.mounts[0], reason: "other mounts cover it" });
      else throw new CodedError("mount", `${nameOf(fileSystem)} cannot be reached: other mounts cover it`);
    }
    return { open: opened, skipped };
  } catch (error) {
    for (const { fd } of opened) freezer.close(fd);
    throw error;
  }
}

/** The first of its mounts whose path leads to it. */
async function openOne(
  freezer: Freezer,
  { mounts }: FileSystem,
): Promise<{ mount: Mount; fd: number } | undefined> {
  for (const mount of mounts) {
    const opening = freezer.open(mount);
    try {
      const fd = await withDeadline(opening, openMs);
      if (fd !== undefined) return { mount, fd };
    } catch (error) {
      // Of a file that something is bound to, or one that went meanwhile.
      if (isErrno(error, "ENOTDIR", "ENOENT", "ENXIO")) continue;
      opening.then(
        (late) => {
          if (late !== undefined) freezer.close(late);
        },
        () => undefined, // nobody waits for it any more
      );
      const message = `cannot open ${mount.mountPoint}: ${(error as Error).message}`;
      throw new CodedError("mount", message, { cause: error });
    }
  }
  return undefined;
}

async function select(
  all: readonly FileSystem[],
  mounts: readonly Mount[],
  names: readonly string[],
): Promise<Set<FileSystem>> {
  const byKey = new Map(all.map((fileSystem) => [fileSystem.key, fileSystem]));
  const selected = new Set<FileSystem>();
  for (const name of names) {
    const mount = await mountNamed(mounts, name);
    const fileSystem = byKey.get(keyOf(mount));
    if (fileSystem) selected.add(fileSystem);
  }
  return selected;
}

/** The mount at a mount point; links that lead to one count. */
async function mountNamed(mounts: readonly Mount[], name: string): Promise<Mount> {
  if (!name.startsWith("/") || name.includes("\0")) {
    throw new CodedError("mount", `${JSON.stringify(name)} is no mount point: it must be an absolute path`);
  }
  const direct = topMount(mounts, name.replace(/(?!^)\/+$/, ""));
  if (direct) return direct;
  let real: string;
  try {
    real = await withDeadline(realpath(name), openMs);
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw new CodedError("mount", `${name} is not there`, { cause: error });
    throw new CodedError("mount", `cannot look at ${name}: ${(error as Error).message}`, { cause: error });
  }
  const linked = topMount(mounts, real);
  if (linked) return linked;
  const around = mountAt(mounts, real);
  const hint = around ? `; it is on the file system at ${around.mountPoint}` : "";
  throw new CodedError("mount", `${name} is no mount point${hint}`);
}

function topMount(mounts: readonly Mount[], mountPoint: string): Mount | undefined {
  return mounts.filter((mount) => mount.mountPoint === mountPoint).at(-1);
}
