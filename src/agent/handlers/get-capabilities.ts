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

/** What the guest runs on, where systeminformation can tell. Loaded only here: it costs 40 ms and 10 MB. */
function features(): Promise<Record<string, string>> {
  known ??= detect().catch((error: unknown) => {
    known = undefined; // out of descriptors or the like: the next request may have better luck
    throw error;
  });
  return known;
}

async function detect(): Promise<Record<string, string>> {
  const { default: systeminformation } = await import("systeminformation");
  const [system, os] = await Promise.all([systeminformation.system(), systeminformation.osInfo()]);
  const found: Record<string, string> = {
    virtual: String(system.virtual),
    virtualization: system.virtualHost ?? "",
    os_release: os.release,
    os_codename: os.codename,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== ""));
}
