import { CodedError } from "../../wire/errors.ts";
import { rootPath } from "../commands/environment.ts";
import { findExecutable } from "../commands/executable.ts";
import type { ToolCall } from "../tools/tool-call.ts";
import type { ShutdownKind } from "./kind.ts";

/** What takes a Linux guest down, where `sign` is there. */
interface Way {
  sign: string;
  call: (kind: ShutdownKind) => ToolCall;
}

const openRcOptions = { poweroff: "--poweroff", reboot: "--reboot", halt: "--halt" } as const;
const shutdownOptions = { poweroff: "-P", reboot: "-r", halt: "-H" } as const;

const ways: readonly Way[] = [
  // sd_booted(3). Users are told by the agent.
  { sign: "/run/systemd/system", call: (kind) => ({ program: "systemctl", args: [kind, "--no-wall"] }) },
  // The pipe of openrc-init: OpenRC under another init goes down with that one's tools.
  {
    sign: "/run/openrc/init.ctl",
    call: (kind) => ({ program: "openrc-shutdown", args: [openRcOptions[kind], "now"] }),
  },
  // Those of busybox, sysvinit, runit and others; each asks its init.
  { sign: "/", call: (kind) => ({ program: kind, args: [] }) },
  { sign: "/", call: (kind) => ({ program: "shutdown", args: [shutdownOptions[kind], "now"] }) },
];

/** What may take this guest down, the best first. */
export async function shutdownCalls(
  kind: ShutdownKind,
  isThere: (path: string) => Promise<boolean>,
): Promise<ToolCall[]> {
  const there = await Promise.all(ways.map(({ sign }) => isThere(sign)));
  return ways.filter((_, index) => there[index]).map(({ call }) => call(kind));
}

/** What shows its standard input to all users who are logged in. */
export const announcer: ToolCall = { program: "wall", args: [] };

/** Whether root's PATH has it. */
export async function hasProgram(program: string): Promise<boolean> {
  try {
    await findExecutable(program, { searchPath: rootPath, folder: "/" });
    return true;
  } catch (error) {
    if (error instanceof CodedError) return false;
    throw error;
  }
}
