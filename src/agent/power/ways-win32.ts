import { access } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import type { ToolCall } from "../tools/tool-call.ts";
import type { ShutdownKind } from "./kind.ts";

/** At once, programs with unsaved work included, and as a planned one in the event log. */
const planned = ["/t", "0", "/f", "/d", "p:0:0"];

/** What takes this guest down. Rejects for "halt". */
export function shutdownCalls(kind: ShutdownKind): Promise<ToolCall[]> {
  if (kind === "halt") {
    const message = "Windows cannot halt with the power on; ask for a poweroff";
    return Promise.reject(new CodedError("shutdown", message));
  }
  const args = [kind === "reboot" ? "/r" : "/s", ...planned];
  return Promise.resolve([{ program: "shutdown.exe", args }]);
}

/** What shows its standard input to all users who are logged in, for a minute. */
export const announcer: ToolCall = { program: "msg.exe", args: ["*", "/time:60"] };

/** Whether Windows has it. */
export async function hasProgram(program: string): Promise<boolean> {
  const { SystemRoot = "C:\\Windows" } = process.env;
  return access(path.win32.join(SystemRoot, "System32", program)).then(
    () => true,
    () => false,
  );
}
