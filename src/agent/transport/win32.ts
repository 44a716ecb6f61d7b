import type { Log } from "../log.ts";
import { PipeListenTransport, PipeTransport } from "./pipe-win32.ts";
import type { SocketTransports, Transport } from "./transport.ts";
import { WindowsDeviceTransport } from "./virtio-win32.ts";

export function deviceTransport(device: string, log: Log): Transport {
  return new WindowsDeviceTransport(device, log);
}

/** By their schemes. */
export const socketTransports: SocketTransports = new Map([
  ["pipe", { example: "pipe:\\\\.\\pipe\\NAME", make: (place, log) => new PipeTransport(place, log) }],
  [
    "pipe-listen",
    { example: "pipe-listen:\\\\.\\pipe\\NAME", make: (place) => new PipeListenTransport(place) },
  ],
]);
