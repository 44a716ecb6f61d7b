import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { LineCounter, type Node, isMap, isScalar, parseDocument } from "yaml";
import * as v from "valibot";
import { CodedError } from "../../wire/errors.ts";
import { type ConfigFile, configSchema } from "./schema.ts";

/** Config files are a few lines; this only keeps a mistaken path (a disk, a log) from being read. */
const maxFileBytes = 1024 * 1024;

/** What is wrong in a config file: one line per problem, each with file, line and key. */
export class ConfigError extends CodedError {}

/** The defaults, as if from an empty file. */
export function defaultConfig(): ConfigFile {
  return v.parse(configSchema, {});
}

/**
 * Reads and checks a config file. Throws ConfigError; there are no fallbacks. At once, since the first read that is not would
 * start all of libuv's threads.
 */
export function loadConfig(file: string): ConfigFile {
  let text: string;
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      requireOwners(fstatSync(fd), file);
      text = readAll(fd, file);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError("configRead", `cannot read the config file ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return parseConfig(text, file);
}

/** Without trust in what the system says of its size: it may be a device. */
function readAll(fd: number, file: string): string {
  const bytes = Buffer.alloc(maxFileBytes + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read)
    read = readSync(fd, bytes, length, bytes.length - length, null);
  if (length > maxFileBytes)
    throw new ConfigError("configRead", `${file} is larger than a config file can be: ${maxFileBytes} bytes`);
  return bytes.toString("utf8", 0, length);
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

/** As loadConfig, for text at hand; `file` is for the messages. */
export function parseConfig(text: string, file: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    throw invalid([`${file}:${lines.linePos(syntax.pos[0]).line}: ${syntax.message}`]);
  }
  if (document.contents !== null && !isMap(document.contents)) {
    throw invalid([`${file}:1: the file must be a list of \`key: value\` lines`]);
  }
  const root: unknown = document.contents === null ? {} : document.toJS({ maxAliasCount: 100 });
  const result = v.safeParse(configSchema, root);
  if (result.success) return result.output;

  throw invalid(
    result.issues.map((issue) => {
      const keys = (issue.path ?? []).map((item) => String(item.key));
      const offset = offsetOf(document.contents, keys);
      const place = offset === undefined ? file : `${file}:${lines.linePos(offset).line}`;
      return `${place}: ${keys.length > 0 ? keys.join(".") : "the file"}: ${explain(issue)}`;
    }),
  );
}

function invalid(problems: string[]): ConfigError {
  return new ConfigError("configInvalid", `the config file is not valid:\n  ${problems.join("\n  ")}`);
}

function explain(issue: v.BaseIssue<unknown>): string {
  if (issue.kind === "schema" && issue.type === "strict_object" && issue.expected === "never") {
    return "no such key; see the table in the README";
  }
  if (issue.kind === "validation") return issue.message;
  return `is ${issue.received}, must be ${issue.expected ?? "something else"}`;
}

/** Where the key stands in the text: the deepest part of the path that is there. */
function offsetOf(root: Node | null, keys: readonly string[]): number | undefined {
  let node: unknown = root;
  let offset: number | undefined;
  for (const key of keys) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    if (pair === undefined) break;
    offset = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
    node = pair.value;
  }
  return offset;
}
