import { agentError } from "../errors.ts";

/** Throws a HostError when the agent has refused. */
export function checkAnswer({ success, error }: { success: boolean; error: string }): void {
  if (!success || error) throw agentError(error || "the agent refused, and did not say why");
}
