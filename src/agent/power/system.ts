import { access } from "node:fs/promises";
import os from "node:os";
import { CodedError } from "../../wire/errors.ts";
import { announcer, hasProgram, shutdownCalls } from "../platform/index.ts";
import type { ToolCall } from "../tools/tool-call.ts";
import { ToolMissing, type Tools, failureText } from "../tools/tools.ts";
import { type ShutdownKind, errorCodeOf } from "./kind.ts";

/** What a guest can do about its power. Tests have their own. */
export interface PowerSystem {
  /** Seconds since it was started; those in which it slept count too. */
  uptimeSeconds(): number;
  /** How it is taken down. Rejects with a CodedError where that cannot be done. */
  wayDown(kind: ShutdownKind): Promise<ToolCall>;
  /** Resolves when it has begun. Rejects with a CodedError that says what the tool said. */
  takeDown(kind: ShutdownKind, way: ToolCall): Promise<void>;
  /** Shows a text to users who are logged in, where there is something that does. */
  tell(text: string): Promise<void>;
}

const takeDownSeconds = 30;

/** To write to each terminal takes no time; one that is stuck must not hold a shutdown up. */
const tellSeconds = 2;

/** Does it with the system's tools. */
export function realPower(tools: Tools): PowerSystem {
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
