// Run by command-start.test.ts: as nobody, starts a set-uid program (argv[2]) and has it ended.
import { Cgroups } from "../../src/agent/commands/cgroups.ts";
import { Command } from "../../src/agent/commands/command.ts";
import { until } from "./until.ts";

async function main(): Promise<void> {
  process.setgroups?.([]);
  process.setgid?.(65534);
  process.setuid?.(65534);
  const file = process.argv[2] ?? "";
  const args = ["perl", "-e", "$< = $>; $| = 1; print 1; sleep 1000"];
  const options = { files: [file], args, environment: [], workingDirectory: "/", stdout: "pipe" } as const;
  const { signal } = new AbortController();
  const command = await Command.start("nobody", options, new Cgroups(), signal, () => undefined);
  await until("it to be root in every way", () => (command.stdout?.read(Buffer.alloc(1)) ?? 0) > 0);
  let isOurs = true;
  try {
    command.signal(1);
  } catch {
    isOurs = false;
  }
  command.terminate();
  const exit = await command.exited;
  process.stdout.write(JSON.stringify({ pid: command.pid, isOurs, ...exit }));
  process.exit();
}

void main();
