import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { AuditVerifier, type AuditReport } from "../agent/audit/verify.ts";

const help = `Usage: limiquantix-agent audit verify [--json] [FILE…]

Checks that no record of the audit is changed, missing or put in. FILE is a trail, the oldest first, or a log with records
in it; - is standard input. Without one it is security.audit_file of the config, with those put aside.

Exits 0 when the trail is whole, 1 when it is not. That its last records were not cut off shows only if you keep the last
hash elsewhere.

Example:
  journalctl -o cat -u limiquantix-agent | limiquantix-agent audit verify -
`;

const exitUsage = 64;

/** `limiquantix-agent audit …`; `configured` gives security.audit_file. Gives the exit code. */
export async function runAuditCommand(args: string[], configured: () => Promise<string>): Promise<number> {
  let line;
  try {
    line = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
  const [command, ...files] = line.positionals;
  if (line.values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (command !== "verify") return wrongUsage("audit: what to do is to be named: verify");
  const trail = files.length > 0 ? files : await trailOf(await configured());
  if (trail.length === 0)
    return wrongUsage(
      "audit verify: the config has no security.audit_file; name a file, or - for standard input",
    );
  const verifier = new AuditVerifier();
  for (const file of trail) await read(file, verifier);
  process.stdout.write(line.values.json ? `${JSON.stringify(verifier.report)}\n` : inWords(verifier.report));
  return verifier.report.breaks.length > 0 ? 1 : 0;
}

function wrongUsage(message: string): number {
  process.stderr.write(`limiquantix-agent: ${message}\nTry: limiquantix-agent audit --help\n`);
  return exitUsage;
}

/** The file and those put aside, the oldest first. */
async function trailOf(file: string): Promise<string[]> {
  if (file === "") return [];
  const { dir, base } = path.parse(file);
  const numbers = (await readdir(dir))
    .filter((name) => name.startsWith(`${base}.`))
    .map((name) => Number(name.slice(base.length + 1)))
    .filter((number) => Number.isSafeInteger(number));
  return [...numbers.sort((a, b) => b - a).map((number) => `${file}.${number}`), file];
}

async function read(file: string, verifier: AuditVerifier): Promise<void> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity }))
    verifier.line(line, `${file === "-" ? "standard input" : file}:${++number}`);
}

function inWords({ records, first, last, breaks, otherLines }: AuditReport): string {
  const lines = breaks.map((text) => `${text}\n`);
  if (first && last)
    lines.push(
      `${records} records, ${first.seq} to ${last.seq}: ${breaks.length === 0 ? "whole" : `broken ${breaks.length} times`}; the last hash is ${last.hash}\n`,
    );
  else lines.push("no records\n");
  if (otherLines > 0) lines.push(`${otherLines} lines are no records\n`);
  return lines.join("");
}
