import { ToolMissing, type Tools, failureText } from "../tools/tools.ts";
import type { Reading } from "./system.ts";

const chronycSeconds = 5;

/** Undefined where chronyd does not run; rejects when it has no time itself. */
export async function readChrony(
  tools: Pick<Tools, "run">,
  signal: AbortSignal,
): Promise<Reading | undefined> {
  const options = { timeoutSeconds: chronycSeconds, signal };
  try {
    const result = await tools.run("chronyc", ["-n", "-c", "tracking"], options);
    if (result.exitCode === 0) return parseTracking(result.stdout);
    if (/^506 /m.test(result.stdout)) return undefined; // cannot talk to daemon
    throw new Error(failureText("chronyc", result));
  } catch (error) {
    if (error instanceof ToolMissing) return undefined;
    throw error;
  }
}

/**
 * A line of chronyc -c tracking: reference, its name, stratum, time, seconds that the clock is behind, and so on; at the
 * end the leap status. How wrong that is chronyd has weighed already.
 */
export function parseTracking(text: string): Reading {
  const fields = text.trim().split(",");
  if (fields.at(-1) === "Not synchronised") throw new Error("chronyd is not synchronised with anything");
  const offsetUs = Number(fields[4] ?? NaN) * 1e6;
  if (!Number.isFinite(offsetUs)) throw new Error(`chronyc said: ${text.slice(0, 200)}`);
  return { offsetUs, uncertaintyUs: 0 };
}

/** Rejects with what chronyc said. */
export async function stepByChrony(tools: Pick<Tools, "run">, signal: AbortSignal): Promise<void> {
  const result = await tools.run("chronyc", ["makestep"], { timeoutSeconds: chronycSeconds, signal });
  if (result.exitCode !== 0) throw new Error(failureText("chronyc makestep", result));
}
