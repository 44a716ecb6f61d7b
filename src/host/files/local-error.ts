import { HostError } from "../errors.ts";

/** The error for a file of this host: `doing` is "write /x". A HostError is given back as it is. */
export function localError(cause: unknown, doing: string): HostError {
  if (cause instanceof HostError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new HostError("local-file", `cannot ${doing} on this host: ${meanings[code ?? ""] ?? message}`, {
    cause,
  });
}

/** Runs `work`; what the system says becomes a HostError. */
export async function locally<T>(doing: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw localError(error, doing);
  }
}

export function isErrno(error: unknown, name: string): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === name;
}

const meanings: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "not a folder",
  EISDIR: "it is a folder",
  EEXIST: "it is there already",
  EROFS: "the file system is read-only",
  ELOOP: "a symbolic link is in the way",
  ENAMETOOLONG: "the name is too long",
};
