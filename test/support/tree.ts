import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { extract, type Header, pack } from "tar-stream";
import { Folder } from "../../src/agent/files/folder.ts";
import { PathPolicy } from "../../src/agent/policy/path-policy.ts";
import { packTree } from "../../src/agent/trees/pack-tree.ts";
import { type UnpackOptions, unpackTree } from "../../src/agent/trees/unpack-tree.ts";

export function policyOf(limits: { writable?: string[]; unreadable?: string[] } = {}): PathPolicy {
  return new PathPolicy({
    allow_file_write_paths: limits.writable ?? [],
    deny_file_read_paths: limits.unreadable ?? [],
    max_file_ops_per_second: 0,
  });
}

/** An empty folder for as long as `use` takes. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), "tree-"));
  try {
    await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

export interface Packed {
  tar: Buffer;
  skipped: string[];
  count: number;
}

export async function packed(place: string, policy = policyOf()): Promise<Packed> {
  const folder = await Folder.open(place);
  try {
    const { stream, skipped } = packTree(folder, { policy, signal: new AbortController().signal });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return { tar: Buffer.concat(chunks), skipped: skipped.list, count: skipped.count };
  } finally {
    folder.close();
  }
}

/** As frames bring it. */
export async function* inPieces(bytes: Buffer, most = 65_280): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += most) {
    yield await Promise.resolve(bytes.subarray(at, at + most));
  }
}

export async function unpacked(
  tar: Buffer | AsyncIterable<Buffer>,
  place: string,
  options: Partial<UnpackOptions> = {},
): Promise<number> {
  const folder = await Folder.open(place);
  try {
    const { entries } = await unpackTree(Buffer.isBuffer(tar) ? inPieces(tar) : tar, folder, {
      policy: policyOf(),
      signal: new AbortController().signal,
      keepOwner: false,
      prefix: ".limiquantix-0123456789abcdef-",
      ...options,
    });
    return entries;
  } finally {
    folder.close();
  }
}

/** GNU tar. */
export function gnuTar(args: string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync("tar", args, {
    ...(input && { input }),
    maxBuffer: 2 ** 30,
    env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
  });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

/** An archive made by hand; `content` may be of another size than the header says. */
export async function archive(
  entries: readonly (Partial<Header> & { name: string; content?: string | Buffer })[],
): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    if (content !== undefined) tar.entry({ ...header }, content);
    else tar.entry({ ...header });
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What is in an archive, by name. */
export async function listed(tar: Buffer): Promise<Map<string, Header>> {
  const entries = new Map<string, Header>();
  const parser = extract();
  parser.end(tar);
  for await (const entry of parser) {
    entries.set(entry.header.name, entry.header);
    entry.resume();
  }
  return entries;
}

/** All that can be seen of a tree: modes, owners, times, contents, links, and what is linked. */
export function seen(place: string): Record<string, string> {
  const facts: Record<string, string> = {};
  const firstNames = new Map<bigint, string>();
  const look = (name: string): void => {
    const full = path.join(place, name);
    const stats = fs.lstatSync(full, { bigint: true });
    const firstName = stats.isDirectory() ? name : (firstNames.get(stats.ino) ?? name);
    firstNames.set(stats.ino, firstName);
    const content = stats.isSymbolicLink()
      ? `→ ${fs.readlinkSync(full)}`
      : stats.isFile()
        ? createHash("sha256").update(fs.readFileSync(full)).digest("base64")
        : "";
    facts[name] =
      `${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${stats.mtimeNs} ${firstName} ${content}`;
    if (!stats.isDirectory()) return;
    for (const inner of fs.readdirSync(full).sort()) look(path.join(name, inner));
  };
  look(".");
  return facts;
}

/** Names of temporary files below a folder. */
export function temporaries(place: string): string[] {
  return (fs.readdirSync(place, { recursive: true }) as string[]).filter((name) =>
    name.includes(".limiquantix-"),
  );
}

export function openDescriptors(): number {
  return fs.readdirSync("/proc/self/fd").length;
}
