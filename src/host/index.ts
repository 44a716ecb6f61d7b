/** The host's side: find the VMs of this host, connect to the agent in one, ask it things. */
export { type ConnectOptions, type Target, connect } from "./connect.ts";
export type {
  AgentErrorEvent,
  AgentReady,
  Capabilities,
  Client,
  ClientEvents,
  Pong,
  TelemetryReport,
} from "./client.ts";
export type { CallOptions } from "./calls.ts";
export { type DiscoverOptions, type DiscoveredVm, discover, discoveryFolders, findVm } from "./discover.ts";
export { HostError, type HostErrorCode } from "./errors.ts";
