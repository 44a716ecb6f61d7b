import type { Log } from "../log.ts";
import { SerialTransport } from "./serial.ts";
import type { PlaceTransport, PlaceTransports, Transport } from "./transport.ts";
import { UnixListenTransport, UnixTransport } from "./unix.ts";
import { DeviceTransport } from "./virtio.ts";

export function deviceTransport(device: string, log: Log): Transport {
  return new DeviceTransport(device, log);
}

/** By their schemes. */
export const placeTransports: PlaceTransports = new Map<string, PlaceTransport>([
  ["unix", { example: "unix:/path/to/socket", make: (place, log) => new UnixTransport(place, log) }],
  [
    "unix-listen",
    { example: "unix-listen:/path/to/socket", make: (place) => new UnixListenTransport(place) },
  ],
  ["serial", { example: "serial:/dev/ttyS0", make: (place, log) => new SerialTransport(place, log) }],
]);
