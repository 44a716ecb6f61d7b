// Manual pages, made from what the programs print of themselves.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { root } from "../stamps.mjs";
import { version } from "./facts.mjs";

const programs = {
  "limiquantix-agent": "dist/executable/linux-x64/limiquantix-agent/limiquantix-agent",
  "limiquantix-ctl": "dist/executable/linux-x64/limiquantix-ctl",
};

const print = (program, ...args) =>
  execFileSync(path.join(root, programs[program]), args, {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "78" },
  });

/** Of the roff language: nothing in the text is a command, and a hyphen can be copied. */
const escaped = (text) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll("…", "...")
    .replace(/^\./gm, "\\&.");

const asItIs = (text) => `.nf\n${escaped(text.replace(/^\n+|\n+$/g, ""))}\n.fi\n`;

/** A paragraph that ends with a colon is the heading of what follows, when that is indented. */
function sections(help) {
  const parts = [];
  for (const line of help.split("\n")) {
    const [, heading] = /^(?!Usage)(\S[^:]*):$/.exec(line) ?? [];
    if (heading !== undefined) parts.push([heading, []]);
    else if (parts.length === 0) parts.push(["Description", [line]]);
    else parts.at(-1)[1].push(line);
  }
  return parts.map(([heading, lines]) => [heading, lines.join("\n")]);
}

function head(program, section, summary, date) {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  const when = [year, month, day].map((part) => String(part).padStart(2, "0")).join("-");
  return `.TH ${program.toUpperCase()} ${section} ${when} "LimiQuantix ${version}" "LimiQuantix Guest Agent"
.SH NAME
${escaped(`${program} - ${summary}`)}
`;
}

/** limiquantix-agent(8) or limiquantix-ctl(1). */
export function manualOf({ program, section, summary }, date) {
  let text = head(program, section, summary, date);
  for (const [heading, body] of sections(print(program, "--help")))
    text += `.SH ${escaped(heading.toUpperCase())}\n${asItIs(body)}`;
  if (program === "limiquantix-ctl") {
    const names = print(program, "--help").split("\nCommands:\n")[1].split("\n\n")[0];
    text += ".SH EACH COMMAND\n";
    for (const [, name] of names.matchAll(/^ {2}(\S+)/gm))
      if (name !== "help") text += `.SS ${escaped(name)}\n${asItIs(print(program, "help", name))}`;
    return `${text}.SH SEE ALSO\n.BR limiquantix\\-agent (8)\n`;
  }
  return `${text}.SH CONFIGURATION
What is in force without a config file:
${asItIs(print(program, "--config", "/dev/null", "--print-config").replace(/^#.*\n/, ""))}
.SH SEE ALSO
.BR limiquantix\\-ctl (1)
`;
}
