import { once } from "node:events";
import type { Client, TelemetryReport } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { canDraw } from "../ui/terminal.ts";

interface TelemetryOptions {
  watch?: boolean;
}

export const telemetry = defineCommand<TelemetryOptions>({
  usage: "telemetry",
  summary: "CPU, memory, disks and network of a VM",
  description:
    "Prints the newest report of the agent. With --watch on a terminal, a live screen that q or Ctrl-C ends;\n" +
    "with --watch into a file or a pipe, one line for each report. How often reports come is the agent's config\n" +
    "(telemetry_interval_secs, 5 unless changed).",
  examples: [
    ["limiquantix-ctl telemetry --vm web1", "once"],
    ["limiquantix-ctl telemetry --vm web1 --watch", "live"],
    ["limiquantix-ctl telemetry --vm web1 --watch >> web1.log", "one line for each report"],
    ["limiquantix-ctl telemetry --vm web1 --watch --json", "one JSON object for each report"],
  ],
  options(command) {
    command.option("-w, --watch", "go on until Ctrl-C; connect again when the connection goes");
  },
  async run(context, { watch = false }) {
    await using client = await context.connect({ reconnect: watch });
    if (!watch) return await printOne(context, client);
    if (context.json) return await watchAsJson(context, client);
    return await (canDraw() ? watchLive(context, client) : watchAsLines(context, client));
  },
});

async function printOne(context: Context, client: Client): Promise<number> {
  const message = await client.telemetry(context.call);
  const { readReport } = await import("../ui/telemetry/report.ts");
  const report = readReport(message);
  if (context.json) {
    context.printJson({ time: new Date().toISOString(), ...report });
  } else {
    const [{ block }, { printable, printableData }] = await Promise.all([
      import("../ui/telemetry/block.ts"),
      import("../ui/printable.ts"),
    ]);
    context.print(block(printableData(report), printable(client.agentVersion)));
  }
  return exitCode.ok;
}

async function watchAsJson(context: Context, client: Client): Promise<number> {
  const { readReport } = await import("../ui/telemetry/report.ts");
  noteReconnects(context, client);
  await forEachReport(context, client, context.signal, (message) => {
    context.printJson({ time: new Date().toISOString(), ...readReport(message) });
  });
  return exitCode.ok;
}

async function watchAsLines(context: Context, client: Client): Promise<number> {
  const [{ readReport }, { line }, { Rates }, { printableData }] = await Promise.all([
    import("../ui/telemetry/report.ts"),
    import("../ui/telemetry/line.ts"),
    import("../ui/telemetry/rates.ts"),
    import("../ui/printable.ts"),
  ]);
  const rates = new Rates();
  noteReconnects(context, client);
  await forEachReport(context, client, context.signal, (message) => {
    const report = printableData(readReport(message));
    rates.update(report, performance.now());
    context.print(line(report, rates, new Date()));
  });
  return exitCode.ok;
}

async function watchLive(context: Context, client: Client): Promise<number> {
  const [{ readReport }, { LiveView }, { Screen, keys }, { printable, printableData }] = await Promise.all([
    import("../ui/telemetry/report.ts"),
    import("../ui/telemetry/live.ts"),
    import("../ui/screen.ts"),
    import("../ui/printable.ts"),
  ]);
  const now = (): number => performance.now();
  const view = new LiveView(context.targetName, printable(client.agentVersion), now());
  const quit = new AbortController();
  let code: number = exitCode.ok;
  using screen = new Screen({
    key(key) {
      if (key === keys.ctrlC) code = exitCode.interrupted;
      if (key === "q" || key === keys.ctrlC) quit.abort();
    },
    changed(self) {
      self.draw(view.lines(self.columns, self.rows, now()));
    },
  });
  client.on("connected", () => {
    view.connected(printable(client.agentVersion), now());
    screen.redraw();
  });
  client.on("disconnected", (error) => {
    view.lost(printable(error.message), now());
    screen.redraw();
  });
  // Ages go on while no report comes.
  const timer = setInterval(() => {
    screen.redraw();
  }, 1000);
  try {
    await forEachReport(context, client, AbortSignal.any([context.signal, quit.signal]), (message) => {
      view.take(printableData(readReport(message)), now());
      screen.redraw();
    });
  } finally {
    clearInterval(timer);
  }
  return code;
}

/**
 * Gives `take` the newest report, if there is one already, and every later one until `signal` is aborted. Rejects
 * when the first does not come in time.
 */
async function forEachReport(
  { call }: Context,
  client: Client,
  signal: AbortSignal,
  take: (message: TelemetryReport) => void,
): Promise<void> {
  let newest: TelemetryReport | undefined;
  const onReport = (message: TelemetryReport): void => {
    newest = message;
    take(message);
  };
  client.on("telemetry", onReport);
  try {
    const first = await client.telemetry({ ...call, signal });
    if (newest === undefined) onReport(first);
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    client.off("telemetry", onReport);
  }
}

function noteReconnects(context: Context, client: Client): void {
  client.on("disconnected", (error) => {
    context.note(`${error.message}; connecting again`);
    client.once("connected", () => {
      context.note("connected again");
    });
  });
}
