import type { Framing } from "../wire/frame.ts";
import { Client } from "./client.ts";
import { type DiscoverOptions, findVm } from "./discover.ts";
import { HostError } from "./errors.ts";
import { secondsFromNow } from "./waiting.ts";

/** Which agent: the VM's exact name or id, looked up in the well-known places, or the path of its socket. */
export type Target = { vm: string; socket?: never } | { socket: string; vm?: never };

export type ConnectOptions = Target &
  DiscoverOptions & {
    /** Gives up connecting. */
    signal?: AbortSignal | undefined;
    /** Seconds for connecting and the first exchange; 10 unless given. */
    timeoutSeconds?: number | undefined;
    /** Connect again when the connection goes; true unless given. Calls under way fail at once either way. */
    reconnect?: boolean | undefined;
    /** How this client frames its messages: plain unless given, which agents of every generation read. */
    framing?: Framing | undefined;
  };

const defaultConnectSeconds = 10;

/**
 * Connects to the agent in a VM and makes the first exchange with it. Rejects with a HostError whose code says
 * what is wrong: not-found, ambiguous, permission-denied, not-running, busy, agent-silent, connection-lost, aborted.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { signal, timeoutSeconds = defaultConnectSeconds, reconnect = true, framing = "plain" } = options;
  const socket = options.vm === undefined ? options.socket : (await findVm(options.vm, options)).socket;
  const deadline = secondsFromNow(timeoutSeconds);
  try {
    return await Client.connect({ socket, framing, reconnect }, deadline, signal);
  } catch (error) {
    if (error instanceof HostError) throw error;
    if (signal?.aborted) throw new HostError("aborted", "connecting was given up", { cause: error });
    if (deadline.aborted) {
      throw new HostError("timed-out", `${socket} took no connection within ${timeoutSeconds} s`, {
        cause: error,
      });
    }
    throw error;
  }
}
