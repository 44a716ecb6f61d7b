import { CodedError, type ErrorCode } from "../../wire/errors.ts";

/** What the system says, as the protocol's code and as words. */
const meanings: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["fileNotFound", "no such file or folder"],
  EACCES: ["fileDenied", "permission denied"],
  EPERM: ["fileDenied", "not permitted"],
  EEXIST: ["fileExists", "it is there already"],
  ENOTEMPTY: ["fileExists", "the folder is not empty"],
  ENOTDIR: ["notADirectory", "not a folder"],
  EISDIR: ["notAFile", "it is a folder"],
  ENXIO: ["notAFile", "not a regular file"],
  ELOOP: ["symlinkLoop", "too many symbolic links"],
  ENOSPC: ["diskFull", "the disk is full"],
  EDQUOT: ["diskFull", "the disk quota is used up"],
  EFBIG: ["fileTooLarge", "larger than the file system allows"],
  EROFS: ["fileSystemReadOnly", "the file system is read-only"],
  ENAMETOOLONG: ["nameTooLong", "the name is too long"],
  EXDEV: ["renameFailed", "it would be in another file system"],
  EAGAIN: ["notAFile", "it has nothing to read now"],
  ETXTBSY: ["fileDenied", "it is a program that runs"],
};

/** What the system says, where the code is the operation's. */
const otherWords: Readonly<Record<string, string>> = {
  EBUSY: "it is in use, as a mount point for example",
  EIO: "the disk or the file server reports an error",
  ESTALE: "the file server does not know it any more",
  ENOTCONN: "the file server is gone",
  EMFILE: "the agent has too many files open",
};

/** `windowsError`: of the addon, on Windows. */
type SystemError = NodeJS.ErrnoException & { windowsError?: number };

/** What Windows says more exactly; by its number for it. */
const windowsMeanings: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  32: ["fileDenied", "another program has it open, and does not share it"],
  33: ["fileDenied", "another program has locked it"],
  303: ["fileDenied", "it is being deleted; a program has it open still"],
  1224: ["fileDenied", "a program has it mapped into its memory"],
};

/**
 * An error of the system as the protocol has it: "cannot write /x: the disk is full (ENOSPC)". What has a code already
 * is given back. `otherwise` is the code for what the table does not know.
 */
export function fileError(cause: unknown, doing: string, otherwise: ErrorCode = "internal"): CodedError {
  if (cause instanceof CodedError) return cause;
  const { code: name = "", message, windowsError = 0 } = cause as SystemError;
  const [code, words] = windowsMeanings[windowsError] ??
    meanings[name] ?? [otherwise, otherWords[name] ?? message];
  return new CodedError(code, `cannot ${doing}: ${words}${name ? ` (${name})` : ""}`, { cause });
}

/** Whether an error of the system has this name: "ENOENT". */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && names.includes(code);
}
