import { linuxCommands } from "../commands/linux.ts";
import { win32Commands } from "../commands/win32/system.ts";
import type { CommandSystem } from "../commands/system.ts";

/** Apart from the rest of the platform, parts of which run commands themselves. */
export const commandSystem: CommandSystem = process.platform === "win32" ? win32Commands : linuxCommands;
