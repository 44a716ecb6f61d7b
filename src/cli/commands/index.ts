import type { CliCommand } from "../command.ts";
import { exec } from "./exec.ts";
import { info } from "./info.ts";
import { ping } from "./ping.ts";
import { shell } from "./shell.ts";
import { telemetry } from "./telemetry.ts";
import { vms } from "./vms.ts";
import { wait } from "./wait.ts";

/** Every command, in the order of --help. */
export const commands: readonly CliCommand[] = [vms, ping, info, wait, telemetry, exec, shell];
