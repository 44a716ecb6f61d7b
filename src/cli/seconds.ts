import { InvalidArgumentError } from "commander";

const secondsPerUnit: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
/** A week: what a timer of Node.js can wait for has its end at 24 days. */
const longestSeconds = 7 * 24 * 3600;

/** Seconds from "30", "1.5", "500ms", "30s", "2m" or "1h". For commander: throws InvalidArgumentError. */
export function parseSeconds(text: string): number {
  const [, digits = "", unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(digits) * (secondsPerUnit[unit] ?? NaN);
  if (digits === "")
    throw new InvalidArgumentError('Give seconds, or a number with a unit such as "500ms", "30s" or "2m".');
  if (seconds <= 0) throw new InvalidArgumentError("It must be more than 0.");
  if (seconds > longestSeconds) throw new InvalidArgumentError("It must be a week (168h) at most.");
  return seconds;
}
