import type { BigIntStats } from "node:fs";
import { chmod, chown, mkdir, readdir, rename, rmdir } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import { isErrno } from "../files/file-error.ts";
import { Folder, pathOf } from "../files/folder.ts";
import { fstat } from "../files/io.ts";
import { temporaryName } from "../files/temporary.ts";
import type { Account } from "../users/account.ts";

const folderName = ".ssh";
const folderMode = 0o700;

/** What sshd minds in a folder that keys are in. */
const writableByOthers = 0o022n;

/**
 * Opens ~/.ssh, which may be a trap: no link in the home is followed, and what belongs to another user is refused.
 * Undefined when it is not there. Rejects with CodedError fileNotFound without a home, notADirectory, fileDenied, or the
 * system's error. The caller closes it.
 */
export async function openSshFolder(account: Account): Promise<Folder | undefined> {
  return await inHome(account, (home) => enter(home, account));
}

/**
 * The same, and makes it as it has to be: of the user, for nobody else to write to. `check` is first asked about its real
 * path.
 */
export async function makeSshFolder(
  account: Account,
  check: (place: string) => Promise<void>,
): Promise<Folder> {
  return await inHome(account, async (home) => {
    await check(home.placeOf(folderName));
    const there = await enter(home, account);
    if (there === undefined) {
      await make(home, account);
      return (await enter(home, account)) ?? gone(account);
    }
    try {
      await tighten(there, account);
      return there;
    } catch (error) {
      there.close();
      throw error;
    }
  });
}

/** Whether a file or folder of an account's is what its user, or root, has put there. */
export function isOwnOf({ uid }: Account, facts: BigIntStats): boolean {
  return facts.uid === BigInt(uid) || facts.uid === 0n;
}

async function inHome<T>(account: Account, work: (home: Folder) => Promise<T>): Promise<T> {
  const home = await openHome(account);
  try {
    return await work(home);
  } finally {
    home.close();
  }
}

async function openHome(account: Account): Promise<Folder> {
  const { name, home } = account;
  const folder = await Folder.open(home).catch((cause: unknown) => {
    if (!isErrno(cause, "ENOENT") && !isErrno(cause, "ENOTDIR")) throw cause;
    throw new CodedError("fileNotFound", `the home of ${name}, ${home}, is not there`, { cause });
  });
  try {
    if (isOwnOf(account, await fstat(folder.fd))) return folder;
    throw new CodedError("fileDenied", `the home of ${name}, ${home}, belongs to another user`);
  } catch (error) {
    folder.close();
    throw error;
  }
}

async function enter(home: Folder, account: Account): Promise<Folder | undefined> {
  const place = home.placeOf(folderName);
  let folder: Folder;
  try {
    folder = await home.enter(folderName);
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return undefined;
    if (!isErrno(cause, "ENOTDIR") && !isErrno(cause, "ELOOP")) throw cause;
    const message = `${place} is no folder, or a link, which is not followed`;
    throw new CodedError("notADirectory", message, { cause });
  }
  try {
    if (isOwnOf(account, await fstat(folder.fd))) return folder;
    throw new CodedError("fileDenied", `${place} belongs to another user than ${account.name}`);
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Takes from others what makes sshd ignore the keys. */
async function tighten(folder: Folder, { uid }: Account): Promise<void> {
  const facts = await fstat(folder.fd);
  if (facts.uid === BigInt(uid) && (facts.mode & writableByOthers) !== 0n)
    await chmod(pathOf(folder.fd), folderMode);
}

/** By another name first: what is given to the user is this folder, whatever the user has put into its way. */
async function make(home: Folder, account: Account): Promise<void> {
  const temporary = home.at(temporaryName());
  await mkdir(temporary, folderMode);
  try {
    const made = await home.enter(path.basename(temporary));
    try {
      await requireFresh(made, account);
      await chown(pathOf(made.fd), account.uid, account.gid);
      await chmod(pathOf(made.fd), folderMode);
      await made.sync();
    } finally {
      made.close();
    }
    await rename(temporary, home.at(folderName));
    await home.sync();
  } catch (error) {
    // What went wrong is `error`; there may be nothing to remove.
    await rmdir(temporary).catch(() => undefined);
    throw error;
  }
}

async function requireFresh(made: Folder, account: Account): Promise<void> {
  const { uid } = await fstat(made.fd);
  const isEmpty = (await readdir(pathOf(made.fd))).length === 0;
  if (!isEmpty || uid !== BigInt(process.geteuid?.() ?? 0)) gone(account);
}

function gone({ name, home }: Account): never {
  throw new CodedError(
    "fileChanged",
    `${path.join(home, folderName)} comes and goes; ${name} is at work there`,
  );
}
