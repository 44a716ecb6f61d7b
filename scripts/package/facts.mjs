import { readFileSync } from "node:fs";
import path from "node:path";
import { Problem } from "../run.mjs";
import { root } from "../stamps.mjs";

/** Where all that is made to be handed on is put. */
export const packagesFolder = path.join(root, "dist/packages");

const { version, description, author } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

/** Of everything that is shipped: package.json is the one place where it is set. */
export { version, description };

/** As Debian's and RPM's packages name it: "Name <address>". */
export const maintainer = author;

/** What the changelog says of `wanted`, an entry each. Throws a Problem when it has no heading for it. */
export function changesOf(wanted, changelog = readFileSync(path.join(root, "CHANGELOG.md"), "utf8")) {
  const parts = changelog.split(/^## /m).slice(1);
  const part = parts.find((text) => text.startsWith(`[${wanted}]`));
  if (part === undefined) {
    throw new Problem(
      `CHANGELOG.md has no heading for ${wanted}, the version in package.json; add "## [${wanted}]" with what has changed`,
    );
  }
  const entries = [];
  for (const line of part.split("\n").slice(1)) {
    if (line.startsWith("- ")) entries.push(line.slice(2).trim());
    else if (line.startsWith("  ") && entries.length > 0) entries.push(`${entries.pop()} ${line.trim()}`);
  }
  return entries;
}
