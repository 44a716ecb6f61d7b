import { defineCommand } from "../command.ts";
import { UsageError } from "../failure.ts";
import { forEachPlace, inGuest, timeoutOfFiles } from "../files/guest.ts";
import { guestPlaceOf, vmOf } from "../files/place.ts";
import { write } from "../ui/output.ts";

export const cat = defineCommand({
  usage: "cat <path...>",
  summary: "print files of a VM",
  description: "Their bytes go to standard output as they are, one file after the other.",
  examples: [
    ["limiquantix-ctl cat web1:/etc/os-release", ""],
    ["limiquantix-ctl cat web1:/var/log/syslog | grep -i oom", ""],
  ],
  timeout: timeoutOfFiles,
  completes: "guest-path",
  async run(context, _options, ...paths) {
    if (context.json) throw new UsageError("cat has no --json: the bytes come as they are");
    const places = paths.map(guestPlaceOf);
    return await inGuest(context, vmOf(places), (guest) =>
      forEachPlace(guest, places, async (path) => {
        for await (const chunk of guest.files.readStream(path, { signal: guest.signal })) {
          await write(chunk as Buffer, guest.signal);
        }
      }),
    );
  },
});
