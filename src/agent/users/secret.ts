import { CodedError } from "../../wire/errors.ts";
import type { ToolResult } from "../tools/tools.ts";

/** crypt(3) and PAM (PAM_MAX_RESP_SIZE) take fewer than 512 bytes. */
const mostPasswordBytes = 511;

/** crypt(5). An alphabet of 64 characters, and what each method puts before and behind its salt. */
const hashes = [
  /^\$g?y\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}$/, // yescrypt, gost-yescrypt
  /^\$6\$(?:rounds=[1-9][0-9]{3,8}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}$/, // sha512crypt
  /^\$5\$(?:rounds=[1-9][0-9]{3,8}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{43}$/, // sha256crypt
  /^\$2[by]\$(?:0[4-9]|[12][0-9]|3[01])\$[./0-9A-Za-z]{53}$/, // bcrypt
];

/**
 * The one line that chpasswd(8) reads: "user:secret". The caller overwrites it when it has been used. Throws CodedError
 * password, whose text does not have the secret.
 */
export function passwordLine(user: string, secret: string, { hashed }: { hashed: boolean }): Buffer {
  const wrong = hashed ? wrongHash(secret) : wrongPassword(secret);
  if (wrong !== undefined)
    throw new CodedError("password", `cannot set the password of ${user}: ${wrong}; nothing was changed`);
  return Buffer.from(`${user}:${secret}\n`);
}

/** Why nobody could log in with it; undefined when somebody could. */
export function wrongPassword(password: string): string | undefined {
  if (password === "") return "it is empty";
  if (/[\n\r\0]/.test(password)) return "it has a line break or a NUL byte, which no login can take";
  if (password.includes("\ufffd")) return "it is no valid UTF-8";
  if (Buffer.byteLength(password) > mostPasswordBytes)
    return `it is longer than the ${mostPasswordBytes} bytes that a login takes`;
  return undefined;
}

function wrongHash(hash: string): string | undefined {
  if (hash.length <= mostPasswordBytes && hashes.some((form) => form.test(hash))) return undefined;
  return "it is no hash of crypt(5) that begins with $y$, $gy$, $6$, $5$ or $2b$ and is whole";
}

/** What a tool said, without what nobody may read. Bits of it are as good as all of it: then nothing is left. */
export function scrubbed(result: ToolResult, ...secrets: readonly string[]): ToolResult {
  const clean = (text: string): string =>
    secrets.some((secret) => secret !== "" && text.includes(secret))
      ? "(what it said has the secret in it)"
      : text;
  return { ...result, stdout: clean(result.stdout), stderr: clean(result.stderr) };
}
