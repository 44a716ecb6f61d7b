import { defineCommand } from "../command.ts";
import { facts, forPrograms } from "../files/facts.ts";
import { forEachPlace, inGuest, timeoutOfFiles } from "../files/guest.ts";
import { guestPlaceOf, vmOf } from "../files/place.ts";

interface StatOptions {
  dereference?: boolean;
}

export const stat = defineCommand<StatOptions>({
  usage: "stat <path...>",
  summary: "what a file of a VM is",
  description: "With --json one object for each path, a line each.",
  examples: [
    ["limiquantix-ctl stat web1:/etc/hosts", ""],
    ["limiquantix-ctl stat --json web1:/var/lib/dpkg/status | jq .sizeBytes", ""],
  ],
  timeout: timeoutOfFiles,
  completes: "guest-path",
  options(command) {
    command.option("-L, --dereference", "of a link, what it leads to");
  },
  async run(context, { dereference = false }, ...paths) {
    const places = paths.map(guestPlaceOf);
    const { list } = await import("../ui/list.ts");
    return await inGuest(context, vmOf(places), ({ files, signal }) => {
      let printed = 0;
      return forEachPlace({ context }, places, async (path) => {
        const info = await files.stat(path, { follow: dereference, signal });
        if (context.json) context.printJson(forPrograms(info));
        else context.print(`${printed++ > 0 ? "\n" : ""}${list(facts(info))}`);
      });
    });
  },
});
