import type { Handler } from "../session/handler.ts";
import { version } from "../../version.ts";

export const ping: Handler<"ping"> = ({ sequence }, { agent }) => ({
  sequence,
  version,
  uptimeSeconds: agent.uptimeSeconds,
});
