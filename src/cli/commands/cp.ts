import type { Command } from "commander";
import { defineCommand } from "../command.ts";
import { type CopyOptions, copyPlanOf } from "../files/copy-plan.ts";
import { copyAll } from "../files/copy.ts";
import { inGuest, timeoutOfFiles } from "../files/guest.ts";

export const cp = defineCommand<CopyOptions>({
  usage: "cp <path...>",
  summary: "copy files into a VM, out of it, or within it",
  description:
    "The last path is the target. NAME:/path is in the VM of that name, :/path in that of --vm or --socket, all else here; " +
    '"-" is standard input or output. A local name with a colon is written ./a:b.\n\n' +
    "A target that is a folder gets the sources inside; of several sources it must be one. Mode and time are kept, " +
    "setuid and the like only into the guest. Links that are named are followed; within folders they are copied as " +
    "links. A file is replaced as a whole, when the copy is complete and on disk; one that fails leaves nothing.\n\n" +
    "The exit code is 1 when something was left out, as sockets and devices within folders are.",
  examples: [
    ["limiquantix-ctl cp site.conf web1:/etc/nginx/conf.d/", ""],
    ["limiquantix-ctl cp web1:/var/log/syslog web1:/var/log/auth.log logs/", "two files into a folder here"],
    ["limiquantix-ctl cp -r web1:/etc etc-of-web1", "a folder"],
    ["limiquantix-ctl cp --resume --checksum disk.img web1:/srv/", "again, after it broke off: goes on"],
    ["pg_dump db | limiquantix-ctl cp - web1:/backup/db.sql", "from a pipe"],
    ["limiquantix-ctl cp web1:/etc/app.conf web1:/etc/app.conf.old", "within the guest"],
  ],
  timeout: timeoutOfFiles,
  completes: "place",
  options: addCopyOptions,
  async run(context, options, ...operands) {
    const plan = copyPlanOf({ ...options, json: context.json }, operands);
    return await inGuest(context, plan.vm, (guest) => copyAll(guest, plan, options));
  },
});

export function addCopyOptions(command: Command): void {
  command
    .option("-r, --recursive", "copy folders with all that is in them")
    .option("-n, --no-clobber", "replace nothing: it is an error when the target is there")
    .option("--resume", "go on where an earlier try broke off, and keep what has arrived when this one does")
    .option("--checksum", "compare the SHA-256 of both ends at the end")
    .option("-q, --quiet", "show no progress");
}
