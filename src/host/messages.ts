import type { AgentMessage } from "../wire/envelope.ts";
import type { Plain } from "./plain.ts";

/** A payload of the envelope as plain data. */
export type Message<Name extends keyof AgentMessage> = Plain<NonNullable<AgentMessage[Name]>>;

export type TelemetryReport = Message<"telemetry">;
export type AgentReady = Message<"agentReady">;
export type AgentErrorEvent = Message<"error">;
export type Pong = Message<"pong"> & { roundTripMs: number };
export type Capabilities = Message<"getCapabilitiesResponse">;
