// What is compiled into the agent's executable: it runs the agent's program, which is in there too, as V8 has compiled
// it when the executable was built.
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { getRawAsset } from "node:sea";
import { Script } from "node:vm";
import { version } from "../version.ts";

/** Others than the owner may write: of st_mode. */
const writableByOthers = 0o022;

const exitConfig = 78; // sysexits(3), as the agent's own

/** What is wrong when somebody else than root, or than the user who runs this, could change what is loaded from `folder`. */
function findForeign(folder: string): string | undefined {
  const user = process.geteuid?.();
  for (const place of [folder, ...readdirSync(folder).map((name) => path.join(folder, name))]) {
    const { uid, mode } = statSync(place);
    if (uid !== 0 && uid !== user)
      return `${place} belongs to the user ${uid}; to trust it, run: chown -R root:root ${folder}`;
    if (mode & writableByOthers)
      return `others than its owner may write to ${place}; to trust it, run: chmod -R go-w ${folder}`;
  }
  return undefined;
}

/**
 * The executable's file. Without /proc, as in the root of an image that is being built, Node.js knows no more than how it was
 * called.
 */
function ownFile(): string {
  const called = process.execPath;
  const places = called.includes(path.sep) ? [""] : (process.env["PATH"] ?? "").split(path.delimiter);
  const file = places.map((place) => path.resolve(place, called)).find((place) => existsSync(place));
  if (file === undefined) throw new Error(`${called} is not in PATH, so what belongs to it cannot be found`);
  return realpathSync(file);
}

/** ASCII. On Linux it stays where it is, in the pages of the executable's file, which nobody can write while it runs. */
function textOf(program: ArrayBuffer, load: NodeJS.Require): string {
  if (process.platform === "linux") {
    const { programText } = load("./limiquantix.node") as { programText: (memory: ArrayBuffer) => string };
    return programText(program);
  }
  return Buffer.from(program).toString("latin1");
}

type Program = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  __filename: string,
  __dirname: string,
) => void;

function launch(file: string, folder: string): void {
  // In an executable require() knows only what Node.js has itself.
  const load = createRequire(file);
  const compiled = getRawAsset("compiled") as ArrayBuffer;
  const script = new Script(textOf(getRawAsset("program") as ArrayBuffer, load), {
    filename: "limiquantix-agent.cjs",
    ...(compiled.byteLength > 0 && { cachedData: Buffer.from(compiled) }),
  });
  (script.runInThisContext() as Program)({}, load, {}, file, folder);
}

function main(): void {
  // As an installer asks, which has the file before it is in its place.
  if (process.argv[2] === "--version") {
    process.stdout.write(`${version}\n`);
    return;
  }
  const own = ownFile();
  const folder = path.dirname(own);
  const foreign = process.platform === "linux" ? findForeign(folder) : undefined;
  if (foreign === undefined) {
    launch(own, folder);
  } else {
    process.stderr.write(`limiquantix-agent: not started: ${foreign}\n`);
    process.exitCode = exitConfig;
  }
}

main();
