import { constants } from "node:fs";
import { addon } from "../../../native/addon.ts";
import type { FileTexts } from "../../../native/files-win32.ts";
import type { Facts } from "../entry.ts";
import { factsAt } from "./linux.ts";
import type { FileStats } from "./types.ts";

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK } = constants;

/** What Windows tells of a file. */
export class WindowsStats implements FileStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  /** Windows has no numbers for them. */
  readonly uid = 0n;
  readonly gid = 0n;
  readonly size: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;
  readonly ownerSid: string;
  readonly groupSid: string;
  /** Of a link: as it is told. */
  readonly target: string;

  constructor(facts: Facts, { link, owner, group }: FileTexts) {
    this.dev = facts.dev;
    this.ino = BigInt.asUintN(64, facts.ino);
    this.mode = facts.mode;
    this.nlink = facts.nlink;
    this.size = facts.size;
    this.blocks = facts.blocks;
    this.atimeNs = facts.atimeNs;
    this.mtimeNs = facts.mtimeNs;
    this.ctimeNs = facts.ctimeNs;
    this.birthtimeNs = facts.birthtimeNs;
    this.ownerSid = owner;
    this.groupSid = group;
    this.target = shownTarget(link);
  }

  isFile(): boolean {
    return this.#is(S_IFREG);
  }

  isDirectory(): boolean {
    return this.#is(S_IFDIR);
  }

  isSymbolicLink(): boolean {
    return this.#is(S_IFLNK);
  }

  isFIFO(): boolean {
    return false; // none has a path on a drive
  }

  isSocket(): boolean {
    return false;
  }

  #is(type: number): boolean {
    return (Number(this.mode) & S_IFMT) === type;
  }
}

/** `C:\x` for `\??\C:\x`, as people write it. */
function shownTarget(target: string): string {
  if (!target.startsWith("\\??\\")) return target;
  const rest = target.slice(4);
  if (/^UNC\\/i.test(rest)) return `\\\\${rest.slice(4)}`;
  return /^[a-z]:/i.test(rest) ? rest : `\\\\?\\${rest}`;
}

/** Of names of a folder, or without names of what is open; undefined for what has gone. */
export async function statsOf(fd: number, names?: readonly string[]): Promise<(WindowsStats | undefined)[]> {
  const { numbers, texts } = await addon.lookAt(fd, names);
  return texts.map((text, index) => {
    const facts = factsAt(numbers, index);
    return facts && new WindowsStats(facts, text);
  });
}
