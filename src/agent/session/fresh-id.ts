/**
 * A message id for an event: a UUID like no other, of no use to who guesses it. Not node:crypto's, which takes 0.7 MiB and
 * 2 ms that an agent at rest does not need.
 */
export function freshId(): string {
  const digits = (count: number): string =>
    Math.floor(Math.random() * 16 ** count)
      .toString(16)
      .padStart(count, "0");
  const variant = "89ab"[Math.floor(Math.random() * 4)] ?? "8";
  return `${digits(8)}-${digits(4)}-4${digits(3)}-${variant}${digits(3)}-${digits(6)}${digits(6)}`;
}
