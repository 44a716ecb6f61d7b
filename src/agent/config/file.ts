import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { CodedError } from "../../wire/errors.ts";

/** Config files are a few lines; this only keeps a mistaken path (a disk, a log) from being read. */
const maxFileBytes = 1024 * 1024;

const pieceBytes = 16 * 1024;

/** What is wrong in a config file: one line per problem, each with file, line and key. */
export class ConfigError extends CodedError {}

/** Whether there is nothing in it but comments, as in the one that is installed. */
export function hasOnlyComments(text: string): boolean {
  return text.split("\n").every((line) => /^\s*(#.*)?$/.test(line));
}

/**
 * What is in a config file that nobody else could have written. Throws ConfigError. At once, since the first read that is not
 * would start all of libuv's threads.
 */
export function readConfigFile(file: string): string {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      requireOwners(fstatSync(fd), file);
      return readAll(fd, file);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError("configRead", `cannot read the config file ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Without trust in what the system says of its size: it may be a device. */
function readAll(fd: number, file: string): string {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = Buffer.alloc(pieceBytes);
    const bytes = readSync(fd, piece);
    if (bytes === 0) return Buffer.concat(pieces).toString();
    length += bytes;
    if (length > maxFileBytes)
      throw new ConfigError(
        "configRead",
        `${file} is larger than a config file can be: ${maxFileBytes} bytes`,
      );
    pieces.push(piece.subarray(0, bytes));
  }
}

function requireOwners(facts: Stats, file: string): void {
  // Everybody may write to /dev/null.
  const problem = process.platform === "win32" || !facts.isFile() ? undefined : problemOfOwner(facts);
  if (problem === undefined) return;
  throw new ConfigError(
    "configRead",
    `${file} says what the host may do, but ${problem}; run: chown root: ${file} && chmod go-w ${file}`,
  );
}

/** Who else than the agent's user and root could change it; undefined when nobody could. */
function problemOfOwner({ uid, gid, mode }: Stats): string | undefined {
  if (uid !== 0 && uid !== process.getuid?.()) return `it belongs to user ${uid}`;
  if ((mode & 0o002) !== 0) return "any user can write to it";
  if ((mode & 0o020) !== 0 && gid !== 0 && gid !== process.getgid?.()) return `group ${gid} can write to it`;
  return undefined;
}
