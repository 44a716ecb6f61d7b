import { closeSync, constants, readFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { addon } from "../../native/addon.ts";
import { readBootId } from "../boot-id.ts";
import { guardWord } from "../../native/freeze.ts";
import { close, open } from "../files/io.ts";
import { mountOf } from "../trees/mount.ts";
import type { FileSystem } from "./file-systems.ts";
import { standingOn } from "./backing.ts";
import { type Mount, parseMountinfo } from "./mountinfo.ts";

/** Thaws what is frozen when this process no longer can. */
export interface Guard {
  /** All is frozen now: its time begins. */
  frozen(): void;
  /** It is not needed any more. */
  release(): void;
}

/** What the system does with file systems. All errors are the system's own, of Node's shape. */
export interface Freezer {
  /** In the order in which they were mounted. */
  mounts(): Promise<Mount[]>;
  /** Which file systems each of them has its image files on. */
  standingOn(
    fileSystems: readonly FileSystem[],
    mounts: readonly Mount[],
  ): Promise<Map<FileSystem, FileSystem[]>>;
  /** The mount point, open; undefined when its path leads elsewhere: another mount covers it. */
  open(mount: Mount): Promise<number | undefined>;
  close(fd: number): void;
  sync(fd: number): Promise<unknown>;
  freeze(fd: number): Promise<unknown>;
  thaw(fd: number): Promise<unknown>;
  /** Resolves to the bytes that the disk was told of. */
  trim(fd: number, minimumBytes: number): Promise<number>;
  /** See GuardFreeze. */
  guard(descriptors: readonly number[], freezingSeconds: number, frozenSeconds: number): Guard;
}

/** Linux' own. None of what it does while something is frozen takes a thread that files may hold up. */
export const linuxFreezer: Freezer = {
  async mounts() {
    return parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  },
  standingOn: (fileSystems, mounts) => standingOn(fileSystems, mounts, "/sys"),
  async open(mount) {
    const fd = await open(
      mount.mountPoint,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK,
    );
    try {
      if ((await mountOf(fd)) === String(mount.id)) return fd;
    } catch (error) {
      close(fd);
      throw error;
    }
    close(fd);
    return undefined;
  },
  close,
  sync: addon.syncfs,
  freeze: addon.freezeFs,
  thaw: addon.thawFs,
  trim: addon.trimFs,
  guard(descriptors, freezingSeconds, frozenSeconds) {
    const pipe = addon.guardFreeze(descriptors, freezingSeconds, frozenSeconds);
    const say = (word: string): void => {
      try {
        writeSync(pipe, word);
      } catch (error) {
        // It has done its work, or was killed.
        if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
      }
    };
    return {
      frozen() {
        say(guardWord.frozen);
      },
      release() {
        say(guardWord.release);
        closeSync(pipe);
      },
    };
  },
};

/** Tells this process from others that have its number, and this run of the system from others. */
export function ownerOf(pid: number): { startedAt: string; bootId: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const startedAt = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    return { startedAt, bootId: readBootId() };
  } catch {
    return undefined; // there is no such process
  }
}
