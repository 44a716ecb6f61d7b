import { defineCommand } from "../command.ts";
import { forEachPlace, inGuest, timeoutOfFiles } from "../files/guest.ts";
import { parseMode } from "../files/mode.ts";
import { guestPlaceOf, vmOf } from "../files/place.ts";

interface MkdirOptions {
  parents?: boolean;
  mode?: number;
}

export const mkdir = defineCommand<MkdirOptions>({
  usage: "mkdir <path...>",
  summary: "make folders in a VM",
  examples: [
    ["limiquantix-ctl mkdir web1:/srv/www", ""],
    ["limiquantix-ctl mkdir -p -m 700 web1:/var/lib/app/keys", "those above it too"],
  ],
  timeout: timeoutOfFiles,
  completes: "guest-path",
  options(command) {
    command
      .option("-p, --parents", "make missing folders above it; no error when it is there")
      .option("-m, --mode <mode>", "permission bits, in octal; 755 unless given", parseMode);
  },
  async run(context, { parents = false, mode }, ...paths) {
    const places = paths.map(guestPlaceOf);
    return await inGuest(context, vmOf(places), (guest) =>
      forEachPlace(guest, places, async (path) => {
        await guest.files.mkdir(path, { recursive: parents, mode, signal: guest.signal });
        if (context.json) context.printJson({ path });
      }),
    );
  },
});
