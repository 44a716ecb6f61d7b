import { toNumber } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";

/** A position in a file. Throws CodedError badOffset for one that JavaScript, and no file system, can have. */
export function offsetOf(value: Parameters<typeof toNumber>[0]): number {
  const offset = toNumber(value);
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new CodedError("badOffset", `no file has an offset of ${offset}`);
}
