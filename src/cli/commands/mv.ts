import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { inGuest, onPath, timeoutOfFiles } from "../files/guest.ts";
import { guestPlaceOf, lastName, vmOf, within } from "../files/place.ts";
import { statIfThere } from "../files/target.ts";

interface MvOptions {
  /** False with --no-clobber. */
  clobber: boolean;
}

export const mv = defineCommand<MvOptions>({
  usage: "mv <from> <to>",
  summary: "rename or move a file within a VM",
  description:
    "Works for files, folders and links, within one file system. What is a folder already gets it inside; a file that " +
    "is there is replaced.",
  examples: [
    ["limiquantix-ctl mv web1:/etc/app.conf.new /etc/app.conf", ""],
    ["limiquantix-ctl mv -n web1:/srv/a web1:/srv/b", "only if there is no /srv/b"],
  ],
  timeout: timeoutOfFiles,
  completes: "guest-path",
  options(command) {
    command.option("-n, --no-clobber", "replace nothing");
  },
  async run(context, { clobber }, from = "", to = "") {
    const places = [guestPlaceOf(from), guestPlaceOf(to)] as const;
    const [source, target] = places;
    return await inGuest(context, vmOf(places), async (guest) => {
      const there = await onPath(target.path, () => statIfThere(guest, target.path));
      const into = there?.kind === "directory" ? within(target.path, lastName(source.path)) : target.path;
      await onPath(source.path, () =>
        guest.files.rename(source.path, into, { replace: clobber, signal: guest.signal }),
      );
      if (context.json) context.printJson({ from: source.path, to: into });
      return exitCode.ok;
    });
  },
});
