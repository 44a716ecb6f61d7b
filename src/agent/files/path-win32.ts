// What a path may be on Windows. Pure: no file is looked at, and it is the same on every system.
import { CodedError } from "../../wire/errors.ts";

/** Of NTFS, in UTF-16 units, as are the next. */
export const longestNameUnits = 255;
/** With `\\?\` before it, and a NUL behind it, a path has 32,767 at the most. */
export const longestPathUnits = 32_762;

const verbatim = "\\\\?\\";

/** Devices of DOS: Windows may take them for such in any folder, with any extension. */
const reserved = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$/i;

/** Characters that no name has. `:` stands before a stream's name, which would be a second file in a file. */
const forbidden = /[<>"|?*\u0000-\u001f]/;

/**
 * A path of the host as Windows writes it: `C:\folder\name`, with an upper-case letter, without double separators, "." and a
 * separator at its end. Slashes are separators too; `\\?\C:\name` is the same as `C:\name`. Throws CodedError pathTraversal
 * for what is not absolute on a drive (a share, a device, a volume's name, `C:name`, `\name`) or has "..", invalidMessage
 * for a name that Windows does not take or would take for another one, nameTooLong.
 */
export function absoluteWindowsPath(text: string): string {
  if (text.includes("\0")) throw new CodedError("invalidMessage", "a path cannot have a NUL byte");
  const isVerbatim = text.startsWith(verbatim);
  const plain = isVerbatim ? text.slice(verbatim.length) : text;
  const [, letter] = (isVerbatim ? /^([a-z]):\\/i : /^([a-z]):[\\/]/i).exec(plain) ?? [];
  if (letter === undefined) throw new CodedError("pathTraversal", whyNotAbsolute(text));
  const rest = plain.slice(3);
  // Behind \\?\ a slash is a character of a name, which no name has.
  if (isVerbatim && rest.includes("/"))
    throw new CodedError("invalidMessage", `a path that begins with ${verbatim} has no slashes: ${text}`);
  const names = rest.split(/[\\/]/).filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw new CodedError("pathTraversal", `".." is not taken in a path: ${text}`);
  const normal = `${letter.toUpperCase()}:\\${names.join("\\")}`;
  if (normal.length > longestPathUnits || names.some((name) => name.length > longestNameUnits)) {
    const shown = normal.slice(0, 100);
    throw new CodedError("nameTooLong", `longer than a path or a name in it can be: ${shown}…`);
  }
  for (const name of names) {
    const problem = problemOfName(name);
    if (problem !== undefined)
      throw new CodedError("invalidMessage", `Windows has no file of this name: ${text}: ${problem}`);
  }
  return normal;
}

function whyNotAbsolute(text: string): string {
  if (text === "") return "no path was given";
  const slashed = text.replaceAll("/", "\\");
  if (/^\\\\[?.]\\|^\\\?\?\\/.test(slashed)) return `a device's or a volume's name is not taken: ${text}`;
  if (slashed.startsWith("\\\\")) return `a path in a share of the network is not taken: ${text}`;
  return `not an absolute path with a drive, as C:\\folder: ${text}`;
}

/** Why a file cannot have this name, in words; undefined when it can. */
export function problemOfName(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return "it is no name";
  if (/[\\/]/.test(name)) return "it has a backslash or a slash";
  if (name.includes(":")) return 'a ":" would name a stream of the file';
  if (forbidden.test(name)) return 'it has a control character or one of < > " | ? *';
  if (/[. ]$/.test(name)) return "it ends with a dot or a space, which Windows leaves out";
  const [stem = ""] = name.split(".");
  if (reserved.test(stem.replace(/ +$/, ""))) return `${stem} is a device`;
  return undefined;
}

/** Whether `candidate` is `folder` or below it, by whole components, which NTFS compares without regard to case. */
export function isWithinOnWindows(candidate: string, folder: string): boolean {
  const [one, other] = [folded(candidate), folded(folder)];
  return one === other || one.startsWith(other.endsWith("\\") ? other : `${other}\\`);
}

/**
 * As NTFS compares: each unit by itself. Where upper case has no way back to it, as of the dotless i, NTFS knows of none:
 * two names that are two files must not be one here.
 */
export function folded(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.toUpperCase();
  let result = "";
  for (let index = 0; index < text.length; index++) {
    const unit = text.charAt(index);
    const upper = unit.toUpperCase();
    result += upper.length === 1 && upper.toLowerCase() === unit ? upper : unit;
  }
  return result;
}
