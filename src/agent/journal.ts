// Lines for journald, which takes the priority of each from its start (sd-daemon(3)), and its time from when it comes.

/** syslog(3) */
const priorities: Readonly<Record<string, number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warn: 4,
  error: 3,
  fatal: 2,
};
const notice = 5;

/**
 * journald splits what is longer than its LineMax=, 48 KiB, and would read a priority, and a line that nobody wrote, where it
 * goes on.
 */
const maxLineBytes = 32 * 1024;

/** Of each string in a line that would be longer. */
const shortCharacters = 500;

/** What ends a line or rules a terminal: C0, DEL, C1, separators, and marks of direction. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Strings that need no quotes. */
const plain = /^[\w./:@%+,-]+$/;

type Fields = Record<string, unknown>;

/** A line of pino, JSON, as `<6>message key=value …`; as JSON behind the priority when it is a record of the audit, or `asJson`. */
export function journalLine(json: string, { asJson }: { asJson: boolean }): string {
  const fields = JSON.parse(json) as Fields;
  const isAudit = fields["audit"] !== undefined;
  const priority = isAudit ? notice : (priorities[String(fields["level"])] ?? 6);
  const toLine = isAudit || asJson ? (what: Fields) => JSON.stringify(what) : textOf;
  const { level, msg } = fields;
  for (const attempt of [
    () => fields,
    () => shortened(fields) as Fields,
    () => shortened({ level, msg }) as Fields,
  ]) {
    const line = toLine(attempt());
    if (Buffer.byteLength(line) <= maxLineBytes) return `<${priority}>${line}\n`;
  }
  return `<${priority}>a line that was too long\n`;
}

/** What is no line of the log, such as why the agent does not start: an error, line by line. */
export function journalError(text: string): string {
  return text
    .split("\n")
    .map((line) => `<3>${visible(line)}\n`)
    .join("");
}

function textOf(fields: Fields): string {
  const { msg } = fields;
  const words = [visible(typeof msg === "string" ? msg : "")];
  for (const [name, value] of Object.entries(fields)) {
    if (["level", "time", "msg"].includes(name)) continue;
    words.push(`${visible(name)}=${valueOf(value)}`);
    // Where it was matters only for what was not foreseen, which has no code.
    if (isError(value) && fields["code"] === undefined) words.push(`stack=${valueOf(value.stack)}`);
  }
  return words.join(" ");
}

function valueOf(value: unknown): string {
  if (isError(value)) return valueOf(value.message);
  if (typeof value === "string" && plain.test(value)) return value;
  return visible(JSON.stringify(value));
}

/** As pino writes an Error. */
function isError(value: unknown): value is { message: string; stack: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Fields)["message"] === "string" &&
    typeof (value as Fields)["stack"] === "string"
  );
}

function visible(text: string): string {
  return text.replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** With the beginnings of its strings, and of its lists: journald has room for that, whatever they are. */
function shortened(value: unknown): unknown {
  if (typeof value === "string" && value.length > shortCharacters)
    return `${value.slice(0, shortCharacters)}… (${value.length - shortCharacters} characters more)`;
  if (Array.isArray(value)) return value.slice(0, 8).map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 16)
      .map(([name, part]) => [name.slice(0, shortCharacters), shortened(part)]),
  );
}
