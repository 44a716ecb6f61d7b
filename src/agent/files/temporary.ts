import { randomBytes } from "node:crypto";

/** Of what is not in its place yet, beside it. */
export function temporaryName(): string {
  return `.limiquantix-${randomBytes(8).toString("hex")}`;
}
