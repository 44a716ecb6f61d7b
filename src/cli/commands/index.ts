import type { CliCommand } from "../command.ts";
import { cat } from "./cat.ts";
import { cp } from "./cp.ts";
import { edit } from "./edit.ts";
import { complete } from "./complete.ts";
import { completion } from "./completion.ts";
import { exec } from "./exec.ts";
import { freeze } from "./freeze.ts";
import { freezeStatus } from "./freeze-status.ts";
import { info } from "./info.ts";
import { ls } from "./ls.ts";
import { mkdir } from "./mkdir.ts";
import { mv } from "./mv.ts";
import { passwd } from "./passwd.ts";
import { network } from "./network.ts";
import { ping } from "./ping.ts";
import { halt, reboot, shutdown } from "./power.ts";
import { rm } from "./rm.ts";
import { shell } from "./shell.ts";
import { sshKey } from "./ssh-key.ts";
import { stat } from "./stat.ts";
import { telemetry } from "./telemetry.ts";
import { thaw } from "./thaw.ts";
import { trim } from "./trim.ts";
import { time } from "./time.ts";
import { vms } from "./vms.ts";
import { wait } from "./wait.ts";
import { withFreeze } from "./with-freeze.ts";

/** Every command, in the order of --help. */
export const commands: readonly CliCommand[] = [
  ...[vms, ping, info, wait, telemetry, exec, shell],
  ...[cp, ls, cat, stat, mkdir, rm, mv, edit],
  ...[passwd, sshKey],
  ...[network],
  ...[withFreeze, freeze, thaw, freezeStatus, trim],
  ...[shutdown, reboot, halt, time],
  ...[completion, complete],
];
