import { CodedError } from "../../wire/errors.ts";

/** LOGIN_NAME_MAX of Linux, without the NUL. */
const mostBytes = 255;

/** What would end the name, or the line, in a file such as passwd(5) or for a program that is given it. */

const impossible = /[:/\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/;

/**
 * A user's name that is one field of one line wherever it is written, and no option of a program. Whether there is such a
 * user is another question. Throws CodedError noSuchUser.
 */
export function checkedUserName(name: string): string {
  const wrong = whatIsWrong(name);
  if (wrong === undefined) return name;
  throw new CodedError("noSuchUser", `there cannot be a user ${JSON.stringify(shownName(name))}: ${wrong}`);
}

/** As much of a name as anybody wants to read, for audit and errors. */
export function shownName(name: string): string {
  return name.length <= mostBytes ? name : `${name.slice(0, mostBytes)}…`;
}

function whatIsWrong(name: string): string | undefined {
  if (name === "") return "the name is empty";
  if (name.length > mostBytes || Buffer.byteLength(name) > mostBytes)
    return `a name has at most ${mostBytes} bytes`;
  if (impossible.test(name)) return 'a name has no ":", "/", control characters or bytes that are no UTF-8';
  // Lines that begin so stand for others, of NIS, in passwd(5).
  if (/^[-+]/.test(name)) return 'a name does not begin with "-" or "+"';
  if (name === "." || name === "..") return "it is a folder";
  return undefined;
}
