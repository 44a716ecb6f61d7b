import type { AgentReady, Capabilities, Client, Pong } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { printableData } from "../ui/printable.ts";
import { duration } from "../ui/units.ts";

/** An agent introduces itself when a host attaches, long before it has answered anything. Old ones may not. */
const introductionSeconds = 2;

export const info = defineCommand({
  usage: "info",
  summary: "what the agent and its guest are",
  examples: [
    ["limiquantix-ctl info --vm web1", ""],
    ["limiquantix-ctl info --vm web1 --json | jq .capabilities", "what this agent can do"],
  ],
  async run(context) {
    await using client = await context.connect();
    const facts = await ask(context, client);
    if (context.json) context.printJson(facts);
    else await show(printableData(facts));
    return exitCode.ok;
  },
});

async function ask(context: Context, client: Client) {
  const { target, call } = context;
  const pong = await client.ping(call);
  const capabilities = await client.capabilities(call).catch(unlessAgentSaysNo);
  const ready = await client.ready({ ...call, timeoutSeconds: introductionSeconds }).catch(unlessLate);
  return facts(target.vm, client, pong, capabilities, ready);
}

type Facts = ReturnType<typeof facts>;

function facts(
  vm: string | undefined,
  { socket, mode }: Client,
  pong: Pong,
  capabilities: Capabilities | undefined,
  ready: AgentReady | undefined,
) {
  return {
    ...(vm !== undefined && { vm }),
    socket,
    agent: {
      version: pong.version,
      uptimeSeconds: pong.uptimeSeconds,
      sessions: mode === "session",
      buildTime: capabilities?.buildTime ?? "",
      buildCommit: capabilities?.buildCommit ?? "",
    },
    guest: {
      hostname: ready?.hostname ?? "",
      os: capabilities?.os ?? `${ready?.osName ?? ""} ${ready?.osVersion ?? ""}`.trim(),
      kernel: ready?.kernelVersion ?? "",
      architecture: capabilities?.architecture ?? ready?.architecture ?? "",
      ipAddresses: ready?.ipAddresses ?? [],
      features: capabilities?.features ?? {},
    },
    capabilities: capabilities?.capabilities ?? ready?.capabilities ?? [],
  };
}

async function show({ vm, socket, agent, guest, capabilities }: Facts): Promise<void> {
  const { list } = await import("../ui/list.ts");
  const build = [agent.buildCommit, agent.buildTime].filter((text) => text !== "").join(", ");
  const features = Object.entries(guest.features).map(([name, value]) => `${name}: ${value}`);
  const entries: [string, string][] = [
    ["VM", vm ?? ""],
    ["Socket", socket],
    ["Agent", agent.version + (build === "" ? "" : ` (${build})`)],
    ["Agent up for", duration(agent.uptimeSeconds)],
    ["Sessions", agent.sessions ? "yes" : "no: an agent of an earlier generation"],
    ["Hostname", guest.hostname],
    ["System", guest.os],
    ["Kernel", guest.kernel],
    ["Architecture", guest.architecture],
    ["Addresses", guest.ipAddresses.join("\n")],
    ["Machine", features.join("\n")],
    ["Capabilities", capabilities.join("\n")],
  ];
  process.stdout.write(`${list(entries)}\n`);
}

/** Agents of an earlier generation do not know the request. */
function unlessAgentSaysNo(error: unknown): undefined {
  if (!(error instanceof HostError) || error.code !== "agent-error") throw error;
}

function unlessLate(error: unknown): undefined {
  if (!(error instanceof HostError) || error.code !== "timed-out") throw error;
}
