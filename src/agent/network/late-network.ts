import { existsSync } from "node:fs";
import os from "node:os";
import type { Log } from "../log.ts";
import { networkSystem, readBootId } from "../platform/index.ts";
import type { SystemTools } from "./backends/backend.ts";
import type { Network } from "./network.ts";
import { recordFile } from "./record-file.ts";

interface LateNetworkOptions {
  stateDir: string;
  tools: SystemTools;
  log: Pick<Log, "info" | "warn" | "error">;
}

/** The guest's network configuration: loaded with the first request for it, or when an earlier agent has left a change. */
export class LateNetwork {
  readonly #options: LateNetworkOptions;
  #network: Promise<Network> | undefined;
  #closed = false;

  constructor(options: LateNetworkOptions) {
    this.#options = options;
  }

  /**
   * Looks after what an earlier agent has left. That there is nothing is seen at once: the first call that is not would start
   * all of libuv's threads, which stay.
   */
  start(): void {
    const { log, stateDir } = this.#options;
    if (!existsSync(recordFile(stateDir))) return;
    this.get().catch((error: unknown) => {
      log.error(
        { err: error, code: "QXGA-9006" },
        "whether a network change is to be rolled back cannot be told",
      );
    });
  }

  /** What an earlier agent has left comes before all that is asked of it. */
  async get(): Promise<Network> {
    this.#network ??= this.#load();
    try {
      return await this.#network;
    } catch (error) {
      this.#network = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#network?.catch(() => undefined))?.close();
  }

  async #load(): Promise<Network> {
    const { stateDir, tools, log } = this.#options;
    const [{ Network }, { usualSettleMs }, { ChangeRecords }, system] = await Promise.all([
      import("./network.ts"),
      import("./interfaces.ts"),
      import("./change-record.ts"),
      networkSystem(),
    ]);
    const network = new Network({
      backends: system.backends({ tools, root: "/", stateDir }),
      records: new ChangeRecords(stateDir, log),
      interfaces: () => system.interfaces(),
      setMtu: (name, mtu) => system.setMtu(tools, name, mtu),
      log,
      uptimeSeconds: () => os.uptime(),
      bootId: readBootId(),
      settleMs: usualSettleMs,
    });
    if (this.#closed) await network.close();
    else void network.recover(); // its place in the queue is before that of any request
    return network;
  }
}
