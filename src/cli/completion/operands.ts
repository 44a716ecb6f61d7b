import type { Command } from "commander";

/**
 * What a shell can complete an operand to: a path in a guest, one here or in a guest, or one of these
 * words.
 */
export type OperandKind = "guest-path" | "place" | readonly string[];

/** Of commands that have one. */
export const operandKinds = new WeakMap<Command, OperandKind>();
