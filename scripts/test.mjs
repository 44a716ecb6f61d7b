// npm test: sets up, then runs the suites. `npm test -- unit native` runs only those named.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { Problem, main } from "./run.mjs";
import { setup } from "./setup.mjs";
import { missingForPackage, missingForVm, missingForWindows } from "./requirements.mjs";
import { root } from "./stamps.mjs";

/** In this order: what fails fast first. */
const suites = ["unit", "contract", "native", "integration", "package", "windows", "vm"];
const missingFor = { package: missingForPackage, windows: missingForWindows, vm: missingForVm };
const obligatory = Boolean(process.env.CI) && process.env.CI !== "false";

const totals = { passed: 0, failed: 0, skipped: 0 };

function filesOf(suite) {
  const folder = path.join(root, "test", suite);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => path.join("test", suite, name));
}

/** Runs node's test runner over the files, shows its report and adds up its closing lines. */
function runSuite(suite, files) {
  // Virtual machines and Windows share two cores; they are tested one file after the other.
  const concurrency = ["integration", "package", "windows", "vm"].includes(suite) ? 1 : 2;
  const args = [
    "--import",
    "tsx",
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${concurrency}`,
    ...files,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
      process.stdout.write(data);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const count = (word) => Number(output.match(new RegExp(`^ℹ ${word} (\\d+)$`, "m"))?.[1] ?? 0);
      totals.passed += count("pass");
      totals.failed += count("fail") + count("cancelled");
      totals.skipped += count("skipped") + count("todo");
      if (code !== 0 && count("fail") + count("cancelled") === 0) totals.failed++;
      resolve();
    });
  });
}

await main(async () => {
  await setup();
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !suites.includes(name));
  if (unknown.length > 0)
    throw new Problem(`no such suite: ${unknown.join(", ")}; there are ${suites.join(", ")}`);
  let skippedSuites = 0;
  for (const suite of named.length > 0 ? named : suites) {
    process.stdout.write(`\n== ${suite}\n`);
    const missing = missingFor[suite]?.() ?? [];
    if (missing.length > 0) {
      process.stdout.write(`The suite ${suite} is left out:\n  ${missing.join("\n  ")}\n`);
      skippedSuites++;
      continue;
    }
    if (suite === "package") {
      await (await import("./prepack.mjs")).prepack();
      await (await import("./executable.mjs")).buildExecutables(["linux-x64"]);
    }
    if (suite === "windows") {
      const { buildFakeDriver, buildWin32 } = await import("./build-win32.mjs");
      await buildWin32();
      await buildFakeDriver();
      await (await import("./executable.mjs")).buildExecutables(["win32-x64"]);
    }
    await runSuite(suite, filesOf(suite));
  }
  process.stdout.write(
    `\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped + skippedSuites} skipped\n`,
  );
  if (totals.failed > 0) return 1;
  if (obligatory && totals.skipped + skippedSuites > 0) {
    process.stdout.write("With CI set, nothing may be skipped.\n");
    return 1;
  }
  return totals.passed > 0 ? 0 : 1;
});
