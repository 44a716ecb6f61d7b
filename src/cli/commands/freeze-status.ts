import type { FreezeStatus } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { showFileSystems, timeOf } from "../freeze/show.ts";

const ends: Readonly<Record<FreezeStatus["lastThaw"], string>> = {
  "": "nothing is frozen",
  thaw: "nothing is frozen; the last freeze was thawed by its host",
  timeout: "nothing is frozen; the last freeze thawed by itself, as its time was over",
  restart: "nothing is frozen; the last freeze thawed when the agent ended",
};

export const freezeStatus = defineCommand({
  usage: "freeze-status",
  summary: "show what is frozen in a VM",
  examples: [
    ["limiquantix-ctl freeze-status --vm web1", ""],
    ["limiquantix-ctl freeze-status --vm web1 --json", "for programs"],
  ],
  async run(context) {
    await using client = await context.connect();
    const status = await client.fileSystems.status(context.call);
    if (context.json) {
      context.printJson(status);
    } else if (status.isFrozen) {
      showFileSystems(context, status.fileSystems);
      context.print(`since ${timeOf(status.frozenAt)}, until ${timeOf(status.autoThawAt)}`);
    } else {
      context.print(ends[status.lastThaw]);
      if (status.lastThaw === "thaw" && status.lastWasCutShort) {
        context.print("somebody else had thawed some of it before");
      }
    }
    return exitCode.ok;
  },
});
