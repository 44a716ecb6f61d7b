/**
 * What a terminal might obey instead of showing: control characters, and marks that reverse the direction of text.
 * All that comes out of a guest can hold them.
 */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text of a guest for one line on a terminal. */
export function printable(text: string): string {
  return text.replace(unprintable, escape);
}

/** Text of a guest for a terminal; line breaks stay. */
export function printableText(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** The same data with every string in it printable. */
export function printableData<T>(value: T): T {
  if (typeof value === "string") return printable(value) as T;
  if (Array.isArray(value)) return value.map(printableData) as T;
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [printable(key), printableData(item)]),
  ) as T;
}

/** One line of JSON that is safe on a terminal too. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(unprintable, (character) => `\\u${hex(character, 4)}`);
}

function escape(character: string): string {
  return character.charCodeAt(0) < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}
