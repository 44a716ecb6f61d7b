import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import type { Transport } from "./transport.ts";
import { UnixListenTransport, UnixTransport } from "./unix.ts";
import { DeviceTransport } from "./virtio.ts";

/** The transport that `--port` or `device_path` names: auto, a device's path, unix:PATH or unix-listen:PATH. */
export function transportFor(port: string, log: Log): Transport {
  const [, scheme, place] = /^(unix|unix-listen):(.*)$/.exec(port) ?? [];
  if (scheme === undefined || place === undefined) return new DeviceTransport(port, log);
  if (place === "")
    throw new CodedError("badDevicePath", `${port} names no path; write ${scheme}:/path/to/socket`);
  return scheme === "unix" ? new UnixTransport(place, log) : new UnixListenTransport(place);
}
