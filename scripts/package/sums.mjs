// SHA256SUMS of what is in dist/packages, for `sha256sum --check SHA256SUMS`.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Writes the sums of all files of the folder into it, by name. */
export function writeSums(folder) {
  const lines = readdirSync(folder)
    .filter((name) => name !== "SHA256SUMS" && !name.endsWith(".unfinished"))
    .sort()
    .map((name) => {
      const sum = createHash("sha256").update(readFileSync(path.join(folder, name)));
      return `${sum.digest("hex")}  ${name}\n`;
    });
  const file = path.join(folder, "SHA256SUMS");
  writeFileSync(file, lines.join(""));
  return file;
}
