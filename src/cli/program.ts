import { Command } from "commander";
import { version } from "../version.ts";
import { type CommandEnd, exampleLines, globalOptions } from "./command.ts";
import { commands } from "./commands/index.ts";
import { exitCodeMeanings } from "./exit-codes.ts";

const examples = [
  ["limiquantix-ctl vms", "the VMs on this host, and whether their agents answer"],
  ["limiquantix-ctl ping --vm web1", "is the agent in web1 alive?"],
  ["limiquantix-ctl wait --vm web1 --timeout 2m", "wait until web1 has booted"],
  ["limiquantix-ctl telemetry --vm web1 --watch", "CPU, memory, disks and network of web1, live"],
  ["limiquantix-ctl exec --vm web1 -- df -h /", "run a command in web1"],
  ["limiquantix-ctl shell --vm web1", "log in to web1"],
  ["limiquantix-ctl cp -r site web1:/srv/www", "copy a folder into web1"],
  ["limiquantix-ctl edit web1:/etc/hosts", "edit a file of web1"],
  ["limiquantix-ctl info --socket /tmp/agent.sock --json", "for a socket elsewhere, and for programs"],
] as const;

const variables = [
  ["LIMIQUANTIX_VM", "the VM when neither --vm nor --socket is given"],
  ["LIMIQUANTIX_SOCKET", "the socket when neither is given"],
  ["LIMIQUANTIX_ROOT", 'look for VMs below this folder instead of "/"'],
  ["LIMIQUANTIX_DEBUG", "set to 1: show where an error came from"],
  ["VISUAL, EDITOR", "the editor of limiquantix-ctl edit; vi unless set"],
  ["NO_COLOR", "set to 1: no colours"],
] as const;

/** The command line of limiquantix-ctl. Parsing throws a CommanderError and never ends the process. */
export function makeProgram(end: CommandEnd): Command {
  const program = new Command("limiquantix-ctl")
    .description("Talks to the LimiQuantix guest agent in virtual machines of this host.")
    .usage("[options] <command> [options]")
    // Options of a command line to run in a guest are not ours: `exec` needs that they are left alone.
    .enablePositionalOptions()
    .exitOverride()
    // What goes wrong is told in one place.
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print help; after a command, for that command")
    .helpCommand("help [command]", "print help for a command");
  for (const option of globalOptions()) program.addOption(option);
  for (const command of commands) command.register(program, end);
  for (const command of program.commands) command.helpOption("-h, --help", "print this help");
  return program.addHelpText(
    "after",
    `
Examples:
${exampleLines(examples)}

Environment:
${exampleLines(variables)}

Exit codes:
${exampleLines(exitCodeMeanings.map(([code, meaning]) => [String(code).padStart(5), meaning]))}`,
  );
}
