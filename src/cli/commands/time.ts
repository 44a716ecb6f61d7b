import { Option } from "commander";
import type { Client, ClockReference, ClockSource, ClockStatus, SyncResult } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { printable } from "../ui/printable.ts";
import { duration } from "../ui/units.ts";

interface TimeOptions {
  set?: boolean;
  sync?: boolean;
  from?: Exclude<ClockSource, "auto">;
  slew?: boolean;
}

export const time = defineCommand<TimeOptions>({
  usage: "time",
  summary: "how far a VM's clock is off, and put it right",
  description:
    "Without options the clock is compared with this host's, and nothing is changed. The guest's own sources are a\n" +
    "PTP clock of the hypervisor, its hardware clock, and chronyd; each step of the clock is told to the hardware\n" +
    "clock too, if that is off by more than 2 s. After a restored snapshot one --set or --sync puts it right.",
  examples: [
    ["limiquantix-ctl time --vm web1", "compare with this host's clock"],
    ["limiquantix-ctl time --vm web1 --set", "set it to this host's"],
    ["limiquantix-ctl time --vm web1 --sync", "set it from the best source that the guest has"],
    ["limiquantix-ctl time --vm web1 --from rtc", "compare with the hardware clock"],
    ["limiquantix-ctl time --vm web1 --sync --from chrony", "have chronyd step it"],
  ],
  options(command) {
    command
      .option("--set", "set it to this host's time")
      .option("--sync", "set it from the guest's own sources")
      .addOption(
        new Option("--from <source>", "which of them; alone, what to compare with").choices([
          "ptp",
          "rtc",
          "chrony",
        ]),
      )
      .option("--slew", "gradually, if it is off by 0.5 s at most");
  },
  async run(context, { set = false, sync = false, from, slew = false }) {
    if (set && (sync || from !== undefined))
      throw new UsageError(
        "--set takes this host's time; --sync and --from are about the guest's own sources",
      );
    if (slew && !set && !sync) throw new UsageError("--slew is how to set a clock; give --set or --sync too");
    await using client = await context.connect();
    const reference: ClockReference =
      set || (!sync && from === undefined) ? { time: "now" } : { source: from };
    if (set || sync) showResult(context, await client.clock.sync({ ...context.call, ...reference, slew }));
    else await showStatus(context, client, reference);
    return exitCode.ok;
  },
});

async function showStatus(context: Context, client: Client, reference: ClockReference): Promise<void> {
  const status = await client.clock.status({ ...context.call, ...reference });
  if (context.json) {
    context.printJson(status);
    return;
  }
  const { list } = await import("../ui/list.ts");
  context.print(list(entries(status)));
}

function entries(status: ClockStatus): [string, string][] {
  const { currentTime, keptBy, isSynchronised, timezone, timeSource } = status;
  const keeper = keptBy === "" ? "nothing that is known" : printable(keptBy);
  return [
    ["Clock", currentTime === null ? "" : timeText(currentTime)],
    ["Off", `${offsetText(status.offsetSeconds)} ${sourceText(timeSource)}`],
    ["Kept by", `${keeper}${isSynchronised ? ", synchronised" : ", not synchronised"}`],
    ["Time zone", printable(timezone)],
  ];
}

function showResult(context: Context, result: SyncResult): void {
  if (context.json) {
    context.printJson(result);
    return;
  }
  const { offsetSeconds, timeSource, slewing } = result;
  const how = slewing ? "it gets there gradually" : "it is right now";
  context.print(
    `the clock of ${context.targetName} was ${offsetText(offsetSeconds)} ${sourceText(timeSource)}; ${how}`,
  );
}

const sourceNames: Readonly<Record<string, string>> = {
  host: "this host's clock",
  ptp: "the hypervisor's PTP clock",
  rtc: "the hardware clock",
};

function sourceText(source: string): string {
  return sourceNames[source] ?? printable(source);
}

/** What a guest says may be no time at all. */
function timeText(time: Date): string {
  return Number.isNaN(time.getTime()) ? "no time" : time.toISOString();
}

/** "3 h 12 min behind", "0.012 s ahead of". */
function offsetText(seconds: number): string {
  const size = Math.abs(seconds);
  const amount = size < 60 ? `${size.toFixed(3)} s` : duration(size);
  return `${amount} ${seconds >= 0 ? "behind" : "ahead of"}`;
}
