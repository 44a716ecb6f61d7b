import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { cached, hashOf } from "./vm/cache.ts";

const inputs = ["src", "proto", "native", "scripts", "packaging", "package.json", "package-lock.json"];

export const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

/** Higher than that of the package, and lower than the next. */
export const newerVersion = `${version}+newer`;

/** The agent's .deb as it is shipped but for its compression: it has none, and is made and installed in no time. */
export function debForTests(ofVersion = version): Promise<string> {
  const recipe = hashOf(ofVersion, ...[...inputs, "CHANGELOG.md"].map((file) => ({ file })));
  return cached(`deb-${ofVersion}`, recipe, async (file) => {
    const output = mkdtempSync(path.join(tmpdir(), "deb-"));
    try {
      const options = JSON.stringify({ output, version: ofVersion });
      const script = `import("./scripts/package/deb.mjs")
        .then(({ deb, quick }) => deb("linux-x64", { ...${options}, compression: quick }))`;
      await promisify(execFile)(process.execPath, ["-e", script]);
      const [made = ""] = readdirSync(output);
      await copyFile(path.join(output, made), file);
    } finally {
      rmSync(output, { recursive: true });
    }
  });
}
