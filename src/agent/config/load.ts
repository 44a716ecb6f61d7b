import { LineCounter, type Node, isMap, isScalar, parseDocument } from "yaml";
import * as v from "valibot";
import { ConfigError, readConfigFile } from "./file.ts";
import { type ConfigFile, configSchema } from "./schema.ts";

/** The defaults, as if from an empty file. */
export function defaultConfig(): ConfigFile {
  return v.parse(configSchema, {});
}

/** Reads and checks a config file. Throws ConfigError; there are no fallbacks. */
export function loadConfig(file: string): ConfigFile {
  return parseConfig(readConfigFile(file), file);
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
