import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import path from "node:path";

export const cacheFolder = path.resolve(".cache/vm");

/** The SHA-256 of texts, and of files and folders given as `{ file }`. */
export function hashOf(...parts: (string | { file: string })[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    if (typeof part === "string") hash.update(`text ${part}\0`);
    else for (const file of filesBelow(part.file)) hash.update(`file ${file}\0`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

function filesBelow(place: string): string[] {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place)
    .sort()
    .flatMap((name) => filesBelow(path.join(place, name)));
}

/** How many of each kind are kept: a state of a guest has some hundred megabytes. */
const kept = 2;

/** Those used lately are kept as well: tests that run beside these may be about to use them. */
const inUseMs = 3_600_000;

/**
 * The cached file `{kind}-{hash}`, made by `make` when it is not there. It is made under another name, so that
 * nobody sees half of it, and two who make it at once do no harm.
 */
export async function cached(
  kind: string,
  hash: string,
  make: (output: string) => Promise<void>,
): Promise<string> {
  mkdirSync(cacheFolder, { recursive: true });
  const file = path.join(cacheFolder, `${kind}-${hash}`);
  if (existsSync(file)) {
    utimesSync(file, new Date(), new Date());
    return file;
  }
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    await make(unfinished);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  removeOld(kind);
  return file;
}

function removeOld(kind: string): void {
  const ofKind = readdirSync(cacheFolder)
    .filter((name) => name.startsWith(`${kind}-`) && !name.endsWith(".unfinished"))
    .map((name) => path.join(cacheFolder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const file of ofKind.slice(kept)) {
    if (Date.now() - statSync(file).mtimeMs > inUseMs) rmSync(file, { recursive: true, force: true });
  }
}
