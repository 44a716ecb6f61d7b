import { constants } from "node:fs";
import type { Header } from "tar-stream";
import type { Piece } from "./piece.ts";

/** What the fields of a ustar header hold as tar-stream writes them; what is larger goes in a pax header too. */
const largest = { id: 0o777777, bytes: 0o77777777777, seconds: 2n ** 31n - 1n, nameBytes: 99 };

const second = 1_000_000_000n;

/** What is told of a piece, in pax headers where ustar has no room for it. A `linkTo` makes it a hard link. */
export function headerOf(
  piece: Piece,
  { owner, group, linkTo }: { owner: string; group: string; linkTo: string | undefined },
): Header & { pax: Record<string, string> | null } {
  const { stats } = piece;
  const folderName = piece.name === "" ? "./" : `${piece.name}/`;
  const name = piece.type === "directory" ? folderName : piece.name;
  const linkname = linkTo ?? (piece.type === "symlink" ? piece.target : "");
  const size = linkTo === undefined ? sizeOf(piece) : 0;
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const seconds = stats.mtimeNs / second;
  const pax: Record<string, string> = {};
  if (stats.mtimeNs % second !== 0n || stats.mtimeNs < 0n || seconds > largest.seconds) {
    pax["mtime"] = decimal(stats.mtimeNs);
  }
  if (uid > largest.id) pax["uid"] = String(uid);
  if (gid > largest.id) pax["gid"] = String(gid);
  if (size > largest.bytes) pax["size"] = String(size);
  // With any pax header tar-stream puts the names there too, whole.
  const needsPax = Object.keys(pax).length > 0 || !fits(name) || !fits(linkname);
  return {
    name,
    type: linkTo === undefined ? typeOf(piece) : "link",
    size,
    // tar-stream takes 0 for "not given"; it writes only the permissions.
    mode: constants.S_IFREG | (Number(stats.mode) & 0o7777),
    mtime: new Date(Number(clamped(seconds)) * 1000),
    uid: Math.min(uid, largest.id),
    gid: Math.min(gid, largest.id),
    uname: owner,
    gname: group,
    linkname,
    devmajor: 0,
    devminor: 0,
    pax: needsPax ? pax : null,
  };
}

function typeOf({ type }: Piece): Header["type"] {
  return type === "large-file" ? "file" : type;
}

function sizeOf(piece: Piece): number {
  switch (piece.type) {
    case "file":
      return piece.content.length;
    case "large-file":
      return Number(piece.stats.size);
    default:
      return 0;
  }
}

function clamped(seconds: bigint): bigint {
  return seconds < 0n ? 0n : seconds > largest.seconds ? largest.seconds : seconds;
}

/** Pax has times as decimal seconds. */
function decimal(nanoseconds: bigint): string {
  const absolute = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = String(absolute % second).padStart(9, "0");
  return `${nanoseconds < 0n ? "-" : ""}${absolute / second}.${fraction}`;
}

function fits(name: string): boolean {
  return name.length <= largest.nameBytes && /^[ -~]*$/.test(name);
}
