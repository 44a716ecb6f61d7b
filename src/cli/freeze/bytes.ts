import { InvalidArgumentError } from "commander";

const bytesPerUnit: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes from "4096", "64K", "1M" or "2G". For commander: throws InvalidArgumentError. */
export function parseBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,15})([KMG]?)$/.exec(text) ?? [];
  const bytes = Number(digits) * (bytesPerUnit[unit] ?? NaN);
  if (digits === "" || !Number.isSafeInteger(bytes)) {
    throw new InvalidArgumentError('Give bytes, or a number with a unit such as "64K", "1M" or "2G".');
  }
  return bytes;
}
