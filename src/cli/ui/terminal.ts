/** Whether a live picture can be drawn on standard output. */
export function canDraw(): boolean {
  return process.stdout.isTTY && process.env["TERM"] !== "dumb";
}

/** Columns of standard output, or what text for a file or a pipe is made for. */
export function outputColumns(): number {
  return process.stdout.columns || 80;
}
