import { toCodedError } from "./session/failure.ts";
import type { Agent } from "./agent.ts";
import type { Config } from "./config/config.ts";
import type { ReloadableLog } from "./log.ts";

/**
 * Has the agent take over its config when the process gets SIGHUP, one after the other. A config that is wrong changes
 * nothing. Gives what ends that.
 */
export function reloadOnHangup(agent: Agent, reread: () => Promise<Config>, log: ReloadableLog): () => void {
  let turn = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      const config = await reread();
      const { changed, later } = agent.reconfigure(config);
      log.level = config.log_level;
      log.info({ changed, ...(later.length > 0 && { later }) }, "the config was read again");
      if (later.length > 0)
        log.warn({ later }, `takes effect when the agent is started again: ${later.join(", ")}`);
    } catch (error) {
      const { wireText } = toCodedError(error);
      log.error({ err: error }, `nothing of the config was taken over: ${wireText}`);
    }
  };
  const onHangup = (): void => {
    turn = turn.then(reload);
  };
  process.on("SIGHUP", onHangup);
  return () => process.off("SIGHUP", onHangup);
}
