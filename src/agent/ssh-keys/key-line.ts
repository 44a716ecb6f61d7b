import { createHash } from "node:crypto";
import { isKeyOf } from "./key-blob.ts";

/** What a line of authorized_keys(5) that has a key is made of. */
export interface KeyLine {
  /** "command=…,no-pty" */
  options: string;
  /** "ssh-ed25519" */
  type: string;
  /** The key itself, in base64: what makes it this key and no other. */
  key: string;
  /** "SHA256:…", as ssh-keygen -l tells it. */
  fingerprint: string;
  comment: string;
}

/** Type, key and comment. */
const keyPart = /^([A-Za-z0-9][A-Za-z0-9.@-]*)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+([^]*))?$/;

/**
 * Reads a line, without its end, as sshd does: first as a key, and else with options before it. Undefined for what has no
 * key that sshd would take: comments, and what it would not understand either.
 */
export function parseKeyLine(line: Buffer): KeyLine | undefined {
  // Each byte as one character: positions are the same, and comments need be no UTF-8.
  const text = line.toString("latin1").replace(/^[ \t]+|[ \t\r]+$/g, "");
  if (text === "" || text.startsWith("#")) return undefined;
  const plain = keyIn(text, "");
  if (plain) return plain;
  const end = endOfOptions(text);
  return end === undefined ? undefined : keyIn(text.slice(end).replace(/^[ \t]+/, ""), text.slice(0, end));
}

function keyIn(text: string, options: string): KeyLine | undefined {
  const [, type = "", key = "", comment = ""] = keyPart.exec(text) ?? [];
  if (type === "") return undefined;
  const blob = Buffer.from(key, "base64");
  if (blob.toString("base64") !== key || !isKeyOf(type, blob)) return undefined;
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { options: utf8(options), type, key, fingerprint: `SHA256:${digest}`, comment: utf8(comment) };
}

/** Where options end: at the first blank that is in no quotes. Undefined where nothing comes behind it. */
function endOfOptions(text: string): number | undefined {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "\\" && text[at + 1] === '"') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === " " || character === "\t")) return at;
  }
  return undefined;
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
