import { LineCounter, isAlias, isMap, isScalar, parseDocument, visit } from "yaml";
import { CodedError } from "../../wire/errors.ts";

/** Larger than any that people write; what a netplan of today takes a second for. */
export const maxDocumentBytes = 64 * 1024;

/** What YAML has, read as netplan reads it: each scalar is text. So a MAC address is no number in base 60, and "on" no word for true. */
export type YamlValue = string | YamlValue[] | { [key: string]: YamlValue };
export type YamlMap = Readonly<Record<string, YamlValue>>;

/** A netplan document whose outline has been checked. */
export interface NetworkDocument {
  /** As the host sent it. */
  text: string;
  /** What is below `network:`. */
  network: YamlMap;
}

/** Each has interfaces by their ids. */
const sections = [
  "ethernets", "wifis", "modems", "bonds", "bridges", "vlans", "vrfs", "tunnels", "dummy-devices",
  "virtual-ethernets", "nm-devices",
]; // prettier-ignore

/** What is no section. */
const settings = ["version", "renderer", "openvswitch"];

/**
 * An id becomes a part of the names of files, in netplan too.
 * Neither in a path nor in a line of a configuration file may it be more than a name.
 */
const safeId = /^(?!\.{1,2}$)[^/\\\0-\x1f\x7f-\x9f"'[\]=#;]{1,64}$/;

/** Reads a netplan document as far as all of them are alike. Throws CodedError network. Nothing of its values is in the message: secrets may be. */
export function parseNetworkDocument(text: string): NetworkDocument {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxDocumentBytes) {
    throw invalid(`it has ${bytes} bytes, and at most ${maxDocumentBytes} are taken`);
  }
  if (text.includes("\0")) throw invalid("it has a NUL character");
  const root = readYaml(text);
  if (!isYamlMap(root)) throw invalid("it must have a section `network:`; an empty one changes nothing");
  const [unknown] = Object.keys(root).filter((key) => key !== "network");
  if (unknown !== undefined)
    throw invalid(`${named(unknown)} stands beside \`network\`, where nothing may be`);
  const { network } = root;
  if (!isYamlMap(network)) throw invalid("`network` must have keys and values");
  if (network["version"] !== "2") throw invalid("`network.version` must be 2");
  for (const [name, section] of Object.entries(network)) checkSection(name, section);
  return { text, network };
}

function checkSection(name: string, section: YamlValue): void {
  if (settings.includes(name)) return;
  if (!sections.includes(name)) throw invalid(`network.${named(name)} is no section of netplan`);
  if (isEmpty(section)) return;
  if (!isYamlMap(section)) throw invalid(`network.${name} must have an interface for each key`);
  for (const id of Object.keys(section)) {
    if (!safeId.test(id))
      throw invalid(`network.${name} has ${named(id)}, which cannot be an interface's name`);
  }
}

/** Nothing is written behind the colon. */
export function isEmpty(value: YamlValue | undefined): boolean {
  return value === undefined || value === "" || value === "~" || value === "null";
}

export function isYamlMap(value: YamlValue | undefined): value is { [key: string]: YamlValue } {
  return typeof value === "object" && !Array.isArray(value);
}

/** The interfaces of all sections that have some. */
export function interfacesOf({ network }: NetworkDocument): [id: string, settings: YamlMap][] {
  return sections.flatMap((name) => {
    const section = network[name];
    if (!isYamlMap(section)) return [];
    return Object.entries(section).flatMap(([id, value]): [string, YamlMap][] =>
      isYamlMap(value) ? [[id, value]] : [],
    );
  });
}

function readYaml(text: string): YamlValue | undefined {
  try {
    const lines = new LineCounter();
    const options = { schema: "failsafe", strict: true, uniqueKeys: true, prettyErrors: false } as const;
    const document = parseDocument(text, { ...options, lineCounter: lines });
    const [problem] = document.errors;
    if (problem)
      throw invalid(`line ${lines.linePos(problem.pos[0]).line}: ${withoutQuotation(problem.message)}`);
    visit(document, {
      Node(_, node) {
        const line = lines.linePos(node.range?.[0] ?? 0).line;
        // A few of them make gigabytes, and netplan takes none.
        if (isAlias(node)) throw invalid(`line ${line}: aliases (*name) are not taken`);
        if (isMap(node) && !node.items.every(({ key }) => isPlainKey(key)))
          throw invalid(`line ${line}: a key must be a word`);
      },
    });
    return (document.toJS({ maxAliasCount: 0 }) as YamlValue | null) ?? undefined;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    // Nested deeper than the parser's stack.
    throw invalid("it cannot be read; is it nested very deep?", cause);
  }
}

function isPlainKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === "string" && key.value !== "__proto__";
}

/** What the parser quotes may be a password. */
function withoutQuotation(message: string): string {
  return message.replace(/\s*[:"'`].*$/s, "");
}

function named(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key);
}

function invalid(problem: string, cause?: unknown): CodedError {
  return new CodedError("network", `the network configuration is not valid: ${problem}`, { cause });
}
