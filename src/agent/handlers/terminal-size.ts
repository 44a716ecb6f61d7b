import type { TerminalSize } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";

/** struct winsize has 16 bits for each. */
const most = 65_535;

/** A window's size, 80 by 24 where it is not told. Throws CodedError invalidMessage. */
export function windowOf(size: TerminalSize): { columns: number; rows: number } {
  const columns = size.columns || 80;
  const rows = size.rows || 24;
  if (columns <= most && rows <= most) return { columns, rows };
  throw new CodedError("invalidMessage", `a terminal of ${columns} by ${rows} characters`);
}
