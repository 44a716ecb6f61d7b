const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** "512 B", "1.5 KiB", "15 GiB", "117 GiB": three digits at most. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  // 1023.9 of one unit reads as 1024 of it; it is 1 of the next.
  while (Math.round(value) >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit] ?? ""}`;
}

/** "34.2%". */
export function percent(value: number): string {
  return `${value.toFixed(1)}%`;
}

/** Of two amounts, in percent; 0 of nothing. */
export function share(used: number, total: number): number {
  return total > 0 ? (used / total) * 100 : 0;
}

/** "42 s", "5 min", "3 h 12 min", "12 d 4 h": the two largest units that say something. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}
