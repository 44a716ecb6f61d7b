import { ToolMissing, type ToolOptions, type ToolResult } from "../../src/agent/tools/tools.ts";

export interface ToolRun {
  program: string;
  args: readonly string[];
  /** As it was when it was given. */
  input: string;
}

type Answer = Partial<ToolResult> | Error;

/** Programs of a guest that only say what a test wants, and what they were told. */
export class FakeTools {
  readonly runs: ToolRun[] = [];
  readonly #answer: (run: ToolRun) => Answer | Promise<Answer>;

  constructor(answer: (run: ToolRun) => Answer | Promise<Answer> = () => ({})) {
    this.#answer = answer;
  }

  /** Those of one program that were more than a question for its help. */
  of(program: string): ToolRun[] {
    return this.runs.filter((run) => run.program === program && run.args[0] !== "--help");
  }

  readonly run = async (
    program: string,
    args: readonly string[],
    { input }: ToolOptions = {},
  ): Promise<ToolResult> => {
    const run = { program, args, input: Buffer.from(input ?? []).toString() };
    this.runs.push(run);
    const answer = await this.#answer(run);
    if (answer instanceof Error) throw answer;
    return {
      ...{ exitCode: 0, timedOut: false, truncated: false, stdout: "", stderr: "", durationMs: 1 },
      ...answer,
    };
  };
}

export function missing(program: string): ToolMissing {
  return new ToolMissing(program);
}
