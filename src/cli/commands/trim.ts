import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { addMountOption } from "../freeze/options.ts";
import { parseBytes } from "../freeze/bytes.ts";
import { printable } from "../ui/printable.ts";
import { table } from "../ui/table.ts";
import { bytes } from "../ui/units.ts";

interface TrimCliOptions {
  mount?: string[];
  minimum?: number;
}

export const trim = defineCommand<TrimCliOptions>({
  usage: "trim",
  summary: "tell a VM's disks which blocks are unused",
  description:
    "Images of disks that pass it on become smaller. The exit code is 1 when one could not be trimmed.",
  examples: [
    ["limiquantix-ctl trim --vm web1", "all that can be"],
    ["limiquantix-ctl trim --vm web1 -m /srv --minimum 1M", "free ranges of at least 1 MiB"],
  ],
  timeout: "how long to wait until all are trimmed; 10m unless given",
  options(command) {
    addMountOption(command, "trim this mount point only; may be given again");
    command.option("--minimum <bytes>", "leave free ranges smaller than this: 4096, 64K, 1M", parseBytes);
  },
  async run(context, { mount, minimum }) {
    await using client = await context.connect({ timeoutSeconds: undefined });
    const { timeoutSeconds } = context;
    const trimmed = await client.fileSystems.trim({
      signal: context.signal,
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      mountPoints: mount,
      minimumBytes: minimum,
    });
    if (context.json) {
      context.printJson(trimmed);
    } else {
      const rows = trimmed.map(({ mountPoint, trimmedBytes, error }) => [
        printable(mountPoint),
        error === "" ? bytes(trimmedBytes) : printable(error),
      ]);
      for (const line of table([{ title: "MOUNT" }, { title: "TRIMMED" }], rows)) context.print(line);
    }
    return trimmed.every(({ error }) => error === "") ? exitCode.ok : exitCode.failed;
  },
});
