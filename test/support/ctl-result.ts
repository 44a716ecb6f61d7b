import assert from "node:assert/strict";
import type { CtlResult } from "./ctl.ts";

/** What it printed on stdout; nothing on stderr, and exit code 0. */
export function succeeded({ code, stdout, stderr }: CtlResult): string {
  assert.equal(stderr, "");
  assert.equal(code, 0);
  return stdout;
}

/** One line on stderr that begins with the program's name, and no stack trace. */
export function failed(
  { code, stdout, stderr }: CtlResult,
  expected: { code: number; message: RegExp },
): void {
  assert.match(stderr, /^limiquantix-ctl: /);
  assert.match(stderr, expected.message);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.equal(stdout, "");
  assert.equal(code, expected.code);
}

/** Every line of JSON Lines. */
export function objects(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The one JSON value. */
export function one(text: string): Record<string, unknown> {
  const [object, ...more] = objects(text);
  assert.ok(object);
  assert.deepEqual(more, []);
  return object;
}
