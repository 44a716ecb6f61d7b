import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { deviceTransport, socketTransports } from "../platform/index.ts";
import type { Transport } from "./transport.ts";

/**
 * The transport that `--port` or `device_path` names: auto, a device's path, unix:PATH or unix-listen:PATH, on Windows
 * pipe:PATH or pipe-listen:PATH.
 */
export function transportFor(port: string, log: Log): Transport {
  const [, scheme = "", place = ""] = /^([a-z-]{2,}):(.*)$/.exec(port) ?? [];
  if (scheme === "") return deviceTransport(port, log);
  const found = socketTransports.get(scheme);
  if (found === undefined) {
    const examples = [...socketTransports.values()].map(({ example }) => example);
    throw new CodedError(
      "badDevicePath",
      `${port}: there is no ${scheme}: here; give auto, a device, ${examples.join(" or ")}`,
    );
  }
  if (place === "") throw new CodedError("badDevicePath", `${port} names no place; write ${found.example}`);
  return found.make(place, log);
}
