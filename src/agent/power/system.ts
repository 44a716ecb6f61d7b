import type { ToolCall } from "../tools/tool-call.ts";
import type { ShutdownKind } from "./kind.ts";

/** What a guest can do about its power. Tests have their own. */
export interface PowerSystem {
  /** Seconds since it was started; those in which it slept count too. */
  uptimeSeconds(): number;
  /** How it is taken down. Rejects with a CodedError where that cannot be done. */
  wayDown(kind: ShutdownKind): Promise<ToolCall>;
  /** Resolves when it has begun. Rejects with a CodedError that says what the tool, or the system, said. */
  takeDown(kind: ShutdownKind, way: ToolCall, message: string): Promise<void>;
  /** Shows a text to users who are logged in, where there is something that does. */
  tell(text: string): Promise<void>;
}
