import type { Log } from "../log.ts";
import type { SocketTransports, Transport } from "./transport.ts";
import { UnixListenTransport, UnixTransport } from "./unix.ts";
import { DeviceTransport } from "./virtio.ts";

export function deviceTransport(device: string, log: Log): Transport {
  return new DeviceTransport(device, log);
}

/** By their schemes. */
export const socketTransports: SocketTransports = new Map([
  ["unix", { example: "unix:/path/to/socket", make: (place, log) => new UnixTransport(place, log) }],
  [
    "unix-listen",
    { example: "unix-listen:/path/to/socket", make: (place) => new UnixListenTransport(place) },
  ],
]);
