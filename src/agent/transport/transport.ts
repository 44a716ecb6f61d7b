import type { Log } from "../log.ts";
import type { Port, PortEvents } from "./port.ts";

/** A way to come by a port: a device by name, a socket to connect to, a socket to serve. */
export interface Transport {
  /** For logs and errors: "unix:/run/x.sock". */
  readonly description: string;
  /**
   * Waits until there is a port and opens it. Rejects with the signal's reason when aborted, and with a
   * CodedError when waiting cannot help, such as a path that is no device.
   */
  open(events: PortEvents, signal: AbortSignal): Promise<Port>;
  /** Lets go of what the transport itself holds, such as a listening socket. */
  close(): void;
}

/** What a system has besides devices: `SCHEME:PLACE`, by scheme. */
export type SocketTransports = ReadonlyMap<
  string,
  { example: string; make: (place: string, log: Log) => Transport }
>;
