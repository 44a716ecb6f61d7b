/** A google.protobuf.Timestamp as plain() has it. */
export function dateOf({ seconds, nanos }: { seconds: number; nanos: number }): Date {
  return new Date(seconds * 1000 + nanos / 1e6);
}
