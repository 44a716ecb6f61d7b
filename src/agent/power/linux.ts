import { access } from "node:fs/promises";
import os from "node:os";
import { CodedError } from "../../wire/errors.ts";
import { ToolMissing, type Tools, failureText } from "../tools/tools.ts";
import { errorCodeOf } from "./kind.ts";
import type { PowerSystem } from "./system.ts";
import { announcer, hasProgram, shutdownCalls } from "./ways-linux.ts";

const takeDownSeconds = 30;

/** To write to each terminal takes no time; one that is stuck must not hold a shutdown up. */
const tellSeconds = 2;

/** Does it with the system's tools. */
export function powerSystem(tools: Tools): PowerSystem {
  return {
    uptimeSeconds: () => os.uptime(),
    async wayDown(kind) {
      const calls = await shutdownCalls(kind, isThere);
      for (const call of calls) if (await hasProgram(call.program)) return call;
      const names = [...new Set(calls.map(({ program }) => program))].join(", ");
      throw new CodedError(
        errorCodeOf(kind),
        `this guest has nothing that takes it down; looked for ${names}`,
      );
    },
    async takeDown(kind, { program, args }) {
      await tools.expect(errorCodeOf(kind), program, args, { timeoutSeconds: takeDownSeconds });
    },
    async tell(text) {
      const { program, args } = announcer;
      try {
        const input = Buffer.from(text);
        const result = await tools.run(program, args, { input, timeoutSeconds: tellSeconds });
        if (result.exitCode !== 0) throw new Error(failureText(program, result));
      } catch (error) {
        if (!(error instanceof ToolMissing)) throw error;
      }
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
