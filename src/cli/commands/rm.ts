import { HostError } from "../../host/errors.ts";
import { codeText } from "../../wire/errors.ts";
import { defineCommand } from "../command.ts";
import { UsageError } from "../failure.ts";
import { type Guest, forEachPlace, hasAgentCode, inGuest, timeoutOfFiles } from "../files/guest.ts";
import { guestPlaceOf, vmOf } from "../files/place.ts";

interface RmOptions {
  recursive?: boolean;
  force?: boolean;
}

export const rm = defineCommand<RmOptions>({
  usage: "rm <path...>",
  summary: "remove files of a VM",
  description: "A link is removed itself, not what it leads to.",
  examples: [
    ["limiquantix-ctl rm web1:/tmp/core", ""],
    ["limiquantix-ctl rm -rf web1:/var/cache/app", "a folder, if it is there"],
  ],
  timeout: timeoutOfFiles,
  completes: "guest-path",
  options(command) {
    command
      .option("-r, --recursive", "folders too, with all that is in them")
      .option("-f, --force", "no error when it is not there");
  },
  async run(context, options, ...paths) {
    const places = paths.map(guestPlaceOf);
    for (const { path } of places) {
      if (/^[/.]*$/.test(path)) throw new UsageError(`${path} is all of the guest; it is not removed`);
    }
    return await inGuest(context, vmOf(places), (guest) =>
      forEachPlace(guest, places, async (path) => {
        const removed = await remove(guest, path, options);
        if (context.json) context.printJson({ path, removed });
      }),
    );
  },
});

/** Gives whether there was something to remove. */
async function remove(
  { files, signal }: Guest,
  path: string,
  { recursive = false, force = false }: RmOptions,
): Promise<boolean> {
  try {
    // The agent removes empty folders too, which nobody expects of rm without -r.
    if (!recursive && (await files.stat(path, { follow: false, signal })).kind === "directory") {
      throw new HostError(
        "agent-error",
        `${path} is a folder; with --recursive it is removed with all in it`,
      );
    }
    await files.remove(path, { recursive, signal });
    return true;
  } catch (error) {
    if (force && hasAgentCode(error, codeText("fileNotFound"), codeText("noParentDirectory"))) return false;
    throw error;
  }
}
