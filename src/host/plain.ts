import Long from "long";
import { toNumber } from "../wire/envelope.ts";

/** A message as plain data: 64-bit numbers as numbers, fields that were not sent with their defaults. */
export type Plain<T> = T extends Long
  ? number
  : T extends Uint8Array | string | number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : T extends object
        ? { [Key in keyof T as T[Key] extends (...args: never) => unknown ? never : Key]: Plain<T[Key]> }
        : T;

/** Turns a decoded message into plain data. Numbers over 2^53 become the nearest that JavaScript has. */
export function plain<T>(value: T): Plain<T> {
  if (Long.isLong(value)) return toNumber(value) as Plain<T>;
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value as Plain<T>;
  if (Array.isArray(value)) return value.map(plain) as Plain<T>;
  const result: Record<string, unknown> = {};
  // A decoded message has what was not sent on its prototype.
  for (const key in value) {
    const field = value[key];
    if (typeof field !== "function" && !key.startsWith("$")) result[key] = plain(field);
  }
  return result as Plain<T>;
}
