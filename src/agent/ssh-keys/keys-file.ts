import { type BigIntStats, constants } from "node:fs";
import { lstat, rename, unlink } from "node:fs/promises";
import { CodedError } from "../../wire/errors.ts";
import { isErrno } from "../files/file-error.ts";
import type { Folder } from "../files/folder.ts";
import { close, fchmod, fchown, fstat, fsync, open, read, writeAll } from "../files/io.ts";
import { requireFile } from "../files/open-file.ts";
import { temporaryName } from "../files/temporary.ts";
import type { Account } from "../users/account.ts";
import { isOwnOf } from "./ssh-folder.ts";

export const keysFileName = "authorized_keys";
const fileMode = 0o600;
const mostBytes = 1024 * 1024;

const permissionBits = 0o7777n;
const writableByOthers = 0o022;

/** O_NONBLOCK: a FIFO would wait. */
const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const making = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The file as it was found. */
export interface KeysFile {
  content: Buffer;
  /** Undefined when there is none. */
  facts: BigIntStats | undefined;
}

/** Called with what is read before it is read; throws what the policy says. */
export type CheckRead = (place: string, facts: BigIntStats) => Promise<void>;

/**
 * Reads authorized_keys in an open ~/.ssh. No link is followed, and what belongs to another user, which a hard link leads
 * to, is refused. Rejects with CodedError: symlinkLoop, notAFile, fileDenied, fileTooLarge, or the system's error.
 */
export async function readKeysFile(folder: Folder, account: Account, check: CheckRead): Promise<KeysFile> {
  const place = folder.placeOf(keysFileName);
  let fd: number;
  try {
    fd = await open(folder.at(keysFileName), reading);
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return { content: Buffer.alloc(0), facts: undefined };
    if (!isErrno(cause, "ELOOP")) throw cause;
    throw new CodedError("symlinkLoop", `${place} is a link, which is not followed (ELOOP)`, { cause });
  }
  try {
    const facts = await fstat(fd);
    requireFile(place, facts);
    const isSecondName = facts.uid !== BigInt(account.uid) && facts.nlink > 1n;
    if (!isOwnOf(account, facts) || isSecondName)
      throw new CodedError("fileDenied", `${place} belongs to another user than ${account.name}`);
    await check(place, facts);
    return { content: await contentOf(fd, place), facts };
  } finally {
    close(fd);
  }
}

/** Whether its owner and mode are such that sshd takes it. */
export function isAsItShouldBe({ facts }: KeysFile, account: Account): boolean {
  if (facts === undefined) return true;
  const { uid, gid, mode } = attributesFor(account, facts);
  return (
    facts.uid === BigInt(uid) && facts.gid === BigInt(gid) && (facts.mode & permissionBits) === BigInt(mode)
  );
}

/**
 * Puts `content` in the file's place, as a whole and on disk. False, and nothing has changed, when it is another file than
 * `before` by now. Rejects with the system's error, and then nothing has changed either.
 */
export async function replaceKeysFile(
  folder: Folder,
  account: Account,
  before: KeysFile,
  content: Buffer,
  signal: AbortSignal,
): Promise<boolean> {
  if (content.length > mostBytes) throw tooLarge(folder.placeOf(keysFileName));
  const temporary = folder.at(temporaryName());
  const fd = await open(temporary, making, fileMode);
  try {
    try {
      const { uid, gid, mode } = attributesFor(account, before.facts);
      await writeAll(fd, content, null);
      await fchown(fd, uid, gid);
      await fchmod(fd, mode);
      await fsync(fd);
    } finally {
      close(fd);
    }
    signal.throwIfAborted();
    if (!(await isStill(folder, before.facts))) {
      await unlink(temporary);
      return false;
    }
    await rename(temporary, folder.at(keysFileName));
  } catch (error) {
    await unlink(temporary).catch(() => undefined); // what went wrong is `error`
    throw error;
  }
  await folder.sync();
  return true;
}

/** The user's own; one of root's stays so, as some keep users from their keys. */
function attributesFor(
  { uid, gid }: Account,
  facts: BigIntStats | undefined,
): { uid: number; gid: number; mode: number } {
  if (facts === undefined || facts.uid === BigInt(uid)) return { uid, gid, mode: fileMode };
  const mode = Number(facts.mode & permissionBits) & ~writableByOthers;
  return { uid: Number(facts.uid), gid: Number(facts.gid), mode };
}

async function isStill(folder: Folder, known: BigIntStats | undefined): Promise<boolean> {
  try {
    const now = await lstat(folder.at(keysFileName), { bigint: true });
    return (
      known !== undefined && now.ino === known.ino && now.ctimeNs === known.ctimeNs && now.size === known.size
    );
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    return known === undefined;
  }
}

async function contentOf(fd: number, place: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(mostBytes + 1);
  let length = 0;
  for (;;) {
    const count = await read(fd, buffer.subarray(length), length);
    if (count === 0) return Buffer.from(buffer.subarray(0, length));
    length += count;
    if (length > mostBytes) throw tooLarge(place);
  }
}

function tooLarge(place: string): CodedError {
  return new CodedError("fileTooLarge", `${place} has, or would have, more than ${mostBytes} bytes`);
}
