import { CommanderError } from "commander";
import { HostError } from "../host/errors.ts";
import { exitCode, exitCodeOf, exitCodeOfAgent } from "./exit-codes.ts";
import { printableText } from "./ui/printable.ts";

/** The command line asks for something that makes no sense. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** How a failed command ends. */
export interface Failure {
  exitCode: number;
  /** For programs: a HostErrorCode, "usage" or "unexpected". */
  code: string;
  /** For people; may have several lines. */
  message: string;
  /** "QXGA-4001", when it came from the agent. */
  agentCode?: string;
}

/** As --json has it. */
export function forPrograms({ code, message, agentCode }: Failure): object {
  return { code, message, ...(agentCode !== undefined && { agentCode }) };
}

export function toFailure(error: unknown): Failure {
  if (error instanceof HostError) {
    const { code, agentCode } = error;
    return {
      exitCode: exitCodeOfAgent[agentCode ?? ""] ?? exitCodeOf[code],
      code,
      message: printableText(error.message),
      ...(agentCode !== undefined && { agentCode }),
    };
  }
  if (error instanceof UsageError) return { exitCode: exitCode.usage, code: "usage", message: error.message };
  if (error instanceof CommanderError) {
    // No command, or help for one that is not there: commander has shown the help, and has no message.
    const message =
      error.code === "commander.help" ? "which command?" : error.message.replace(/^error: /, "");
    return { exitCode: exitCode.usage, code: "usage", message };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    exitCode: exitCode.failed,
    code: "unexpected",
    message: `${printableText(text)}\nThis should not happen; with LIMIQUANTIX_DEBUG=1 it says where it did.`,
  };
}
