import { type Client, connect } from "../../../src/host/index.ts";

/** How long the agent may take to be there in an emulated guest. */
const startSeconds = 60;

/** A guest with a host that is connected to its agent; both end together, and the guest also when `start` fails. */
export async function withHost<
  M extends { agentSocket: string; stop(): Promise<void> },
  Facts extends object,
>(machine: M, start: () => Promise<Facts>): Promise<AsyncDisposable & { machine: M; host: Client } & Facts> {
  try {
    const facts = await start();
    const host = await connect({
      socket: machine.agentSocket,
      reconnect: true,
      timeoutSeconds: startSeconds,
    });
    return {
      ...facts,
      machine,
      host,
      async [Symbol.asyncDispose]() {
        await host.close();
        await machine.stop();
      },
    };
  } catch (error) {
    await machine.stop();
    throw error;
  }
}
