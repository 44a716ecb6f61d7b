import type { Log } from "../log.ts";
import type { SocketTransports, Transport } from "./transport.ts";
import { WindowsDeviceTransport } from "./virtio-win32.ts";

export function deviceTransport(device: string, log: Log): Transport {
  return new WindowsDeviceTransport(device, log);
}

/** By their schemes. */
export const socketTransports: SocketTransports = new Map();
