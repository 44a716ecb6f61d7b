export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that `share` (0..1) of the values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const fixed = (value: number, digits = 2): string => value.toFixed(digits);
