// Remembers what each build step was made from, so that a step runs only when its inputs have changed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

export const root = path.dirname(import.meta.dirname);
const file = path.join(root, ".cache", "stamps.json");

function* filesBelow(place) {
  const full = path.join(root, place);
  if (!existsSync(full)) return;
  if (!statSync(full).isDirectory()) return yield place;
  for (const name of readdirSync(full).sort()) yield* filesBelow(path.join(place, name));
}

/** The SHA-256 of the named files and folders, of Node's version and platform. */
export function hashOf(places) {
  const hash = createHash("sha256").update(`${process.version} ${process.platform} ${process.arch}`);
  for (const place of places) {
    for (const name of filesBelow(place))
      hash.update(`\0${name}\0`).update(readFileSync(path.join(root, name)));
  }
  return hash.digest("hex");
}

/**
 * Runs `build` unless it ran for the same inputs and all its outputs are still there.
 * A folder among the inputs that the step itself writes to would never be up to date: name inputs exactly.
 */
export async function whenChanged(step, { inputs, outputs }, build) {
  const stamps = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const now = hashOf(inputs);
  if (stamps[step] === now && outputs.every((output) => existsSync(path.join(root, output)))) return;
  await build();
  const after = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ...after, [step]: now }, null, 2));
}
