import Long from "long";
import { toNumber } from "../wire/envelope.ts";

type Scalar = Uint8Array | string | number | boolean;

/**
 * A message as plain data: 64-bit numbers as numbers, fields that were not sent with their defaults. Only a message
 * within a message can be missing, and is null then.
 */
export type Plain<T> = T extends Long
  ? number
  : T extends Scalar
    ? T
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : T extends object
        ? { [Key in FieldOf<T>]-?: PlainField<NonNullable<T[Key]>> }
        : T;

type FieldOf<T> = {
  [Key in keyof T]: Key extends `$${string}`
    ? never
    : T[Key] extends (...args: never) => unknown
      ? never
      : Key;
}[keyof T];
type PlainField<T> = T extends Long | Scalar | readonly unknown[]
  ? Plain<T>
  : string extends keyof T
    ? Plain<T>
    : Plain<T> | null;

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
