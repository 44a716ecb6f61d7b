import * as linux from "./linux.ts";

// win32.ts has the same exports; the choice is made here and nowhere else.
export const { operatingSystem } = linux;
export type { OperatingSystem } from "./linux.ts";
