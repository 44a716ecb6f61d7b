/** A program of the guest's system, by its name in root's PATH, and what it is told. */
export interface ToolCall {
  program: string;
  args: readonly string[];
}
