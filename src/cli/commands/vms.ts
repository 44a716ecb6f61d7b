import path from "node:path";
import { HostError } from "../../host/errors.ts";
import type { DiscoveredVm } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { printable } from "../ui/printable.ts";

const probeSeconds = 1;

interface VmsOptions {
  probe: boolean;
}

interface Probe {
  state: string;
  agentVersion?: string;
  /** What is wrong, at length. */
  problem?: string;
}

export const vms = defineCommand<VmsOptions>({
  usage: "vms",
  summary: "the VMs on this host that have a channel for the agent",
  description: `Asks each agent for a sign of life, for ${probeSeconds} s at most. --no-probe leaves that out.`,
  examples: [
    ["limiquantix-ctl vms", ""],
    ["limiquantix-ctl vms --no-probe --json | jq -r '.[].name'", "names only, without a word to the agents"],
  ],
  options(command) {
    command.option("--no-probe", "do not connect to the sockets");
  },
  async run(context, { probe }) {
    const { discover, discoveryFolders } = await import("../../host/index.ts");
    const found = await discover({
      root: context.root,
      onUnreadable(folder) {
        context.note(`${folder} may not be looked into; try as root or a member of its group`);
      },
    });
    const rows = await Promise.all(
      found.map(async (vm) => ({ ...vm, ...(probe && (await probeState(context, vm))) })),
    );
    if (context.json) context.printJson(rows);
    else if (rows.length > 0) await show(context, rows, probe);
    else
      context.print(
        `no VM found; looked in\n${discoveryFolders.map((place) => `  ${path.join(context.root, place)}`).join("\n")}`,
      );
    return exitCode.ok;
  },
});

async function probeState(
  { signal, timeoutSeconds = probeSeconds }: Context,
  { socket }: DiscoveredVm,
): Promise<Probe> {
  const { connect } = await import("../../host/index.ts");
  try {
    await using client = await connect({ socket, signal, timeoutSeconds, reconnect: false });
    return { state: "answers", agentVersion: client.agentVersion };
  } catch (error) {
    if (!(error instanceof HostError) || error.code === "aborted") throw error;
    return { state: error.code === "agent-silent" ? "silent" : error.code, problem: error.message };
  }
}

async function show(
  context: Context,
  rows: readonly (DiscoveredVm & Partial<Probe>)[],
  probed: boolean,
): Promise<void> {
  const [{ table }, { default: chalk }] = await Promise.all([import("../ui/table.ts"), import("chalk")]);
  const columns = ["NAME", "SOURCE", ...(probed ? ["STATE"] : []), "SOCKET"];
  const lines = table(
    columns.map((title) => ({ title })),
    rows.map(({ name, source, socket, state, agentVersion = "" }) => [
      printable(name),
      source,
      ...(state === undefined
        ? []
        : [
            state === "answers"
              ? chalk.green(`agent ${printable(agentVersion)}`)
              : chalk.yellow(state.replace("-", " ")),
          ]),
      printable(socket),
    ]),
  );
  for (const line of lines) context.print(line);
}
