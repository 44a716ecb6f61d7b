import type { Time } from "../../native/files.ts";
import type { Header } from "tar-stream";
import { CodedError } from "../../wire/errors.ts";
import { longestNameBytes, longestPathBytes, nameProblem } from "../files/path.ts";
import { isText } from "./read-piece.ts";
import { invalid } from "./tar-framing.ts";

/** One entry of a tar stream, with a name that leads nowhere but down. */
export interface TarEntry {
  type: "file" | "directory" | "symlink" | "link";
  /** Names from the top; none is "", "." or "..". Empty for the top itself, which is a directory. */
  path: string[];
  sizeBytes: number;
  /** Permission bits, setuid and the like included. */
  mode: number;
  uid: number;
  gid: number;
  modified: Time;
  /** Of a symbolic link, as it is. */
  target: string;
  /** Of a hard link: names from the top. */
  linkTo: string[];
  /** Of a file. */
  content: AsyncIterable<Buffer>;
}

/**
 * Throws CodedError: pathTraversal, invalidMessage or nameTooLong for what the entry says, notAFile for what is neither
 * file, folder nor link.
 */
export function toTarEntry(header: Header, content: AsyncIterable<Buffer>): TarEntry {
  const pax = (header.pax ?? {}) as Partial<Record<string, string>>;
  const name = text(header.name, "a name");
  const isFolder = header.type === "directory" || (header.type === "file" && name.endsWith("/"));
  const type = isFolder ? "directory" : typeOf(header.type, name);
  const path = pathOf(name);
  if (path.length === 0 && !isFolder) throw invalid(`${name} is a folder's name, and no folder`);
  const link = type === "symlink" || type === "link" ? text(header.linkname, `the target of ${name}`) : "";
  if (type !== "file" && type !== "directory" && header.size > 0) {
    throw invalid(`${name} is a link with contents`);
  }
  return {
    type,
    path,
    sizeBytes: isFolder ? 0 : header.size,
    mode: header.mode & 0o7777,
    uid: idOf(pax["uid"], header.uid),
    gid: idOf(pax["gid"], header.gid),
    modified: timeOf(pax["mtime"], header.mtime),
    target: link,
    linkTo: type === "link" ? pathOf(link) : [],
    content,
  };
}

function typeOf(type: Header["type"] | null, name: string): "file" | "symlink" | "link" {
  switch (type) {
    case "file":
    case "contiguous-file":
      return "file";
    case "symlink":
    case "link":
      return type;
    case "fifo":
      throw new CodedError("notAFile", `${name} is a FIFO; only files, folders and links are unpacked`);
    case "character-device":
    case "block-device":
      throw new CodedError("notAFile", `${name} is a device; only files, folders and links are unpacked`);
    default:
      throw new CodedError(
        "notAFile",
        `${name} is of a kind that is not unpacked: sparse, or part of an incremental archive`,
      );
  }
}

/** A name that the system can take. */
function text(value: string | null, what: string): string {
  const given = value ?? "";
  if (given === "") throw invalid(`${what} is empty`);
  if (given.includes("\0")) throw invalid(`${what} has a NUL byte`);
  if (!isText(given)) throw invalid(`${what} is not UTF-8: ${given.slice(0, 100)}`);
  if (Buffer.byteLength(given) > longestPathBytes) throw tooLong(given);
  return given;
}

function pathOf(name: string): string[] {
  if (name.startsWith("/")) throw new CodedError("pathTraversal", `an absolute name is not taken: ${name}`);
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  if (names.includes("..")) throw new CodedError("pathTraversal", `".." is not taken in a name: ${name}`);
  for (const part of names) {
    const problem = nameProblem(part);
    if (problem !== undefined) throw invalid(`there can be no ${name} here: ${problem}`);
  }
  if (names.some((part) => Buffer.byteLength(part) > longestNameBytes)) throw tooLong(name);
  return names;
}

function tooLong(name: string): CodedError {
  return new CodedError("nameTooLong", `longer than a path or a name in it can be: ${name.slice(0, 100)}…`);
}

/** 2^32 - 1 means "as it is" to chown(2). */
function idOf(pax: string | undefined, field: number): number {
  const id = pax === undefined || pax === "" ? field : Number(pax);
  if (!Number.isInteger(id) || id < 0 || id >= 2 ** 32 - 1) throw invalid(`there is no owner ${id}`);
  return id;
}

/** Pax has decimal seconds, negative ones before 1970. */
function timeOf(pax: string | undefined, field: Date): Time {
  const text = pax === undefined || pax === "" ? String(field.getTime() / 1000) : pax;
  const [, sign, whole, fraction = ""] = /^(-?)(\d{1,11})(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined) throw invalid("an entry has no sensible time");
  const seconds = Number(whole);
  const nanos = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds, nanos };
  return nanos === 0 ? { seconds: -seconds, nanos } : { seconds: -seconds - 1, nanos: 1e9 - nanos };
}
