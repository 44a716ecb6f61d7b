import { systemFeatures } from "../platform/index.ts";
import type { Handler } from "../session/handler.ts";
import { buildCommit, buildTime, version } from "../../version.ts";

export const getCapabilities: Handler<"getCapabilities"> = async (_request, { agent }) => ({
  version,
  os: `${agent.system.name} ${agent.system.version}`.trim(),
  architecture: agent.system.architecture,
  capabilities: agent.capabilities,
  features: await features(),
  buildTime,
  buildCommit,
});

let known: Promise<Record<string, string>> | undefined;

/** What the guest runs on, as far as the system can tell. */
function features(): Promise<Record<string, string>> {
  known ??= detect().catch((error: unknown) => {
    known = undefined; // out of descriptors or the like: the next request may have better luck
    throw error;
  });
  return known;
}

async function detect(): Promise<Record<string, string>> {
  const found = await systemFeatures();
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== ""));
}
