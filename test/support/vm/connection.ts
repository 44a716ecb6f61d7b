import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { until } from "../until.ts";

/** Connects to a socket that QEMU has made, or makes: its file is there a moment before it listens. */
export function connectionTo(path: string): Promise<Socket> {
  return until(`a connection to ${path}`, async () => {
    const socket = createConnection(path);
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") return false;
      throw error;
    }
  });
}
