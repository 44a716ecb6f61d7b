import { readFileSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { addon } from "../../native/addon.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Port, type PortEvents } from "./port.ts";
import type { Transport } from "./transport.ts";
import { Backoff, untilFound } from "./wait.ts";

/** The names hosts give the port: today's, and that of the later generation. */
export const channelNames = ["org.limiquantix.agent.0", "org.quantix.agent.0"] as const;

const linkFolder = "/dev/virtio-ports";
const sysFolder = "/sys/class/virtio-ports";

/** The device of the first channel name there is: by udev's link, or without udev by the name in /sys. */
export function findChannel(): string | undefined {
  for (const name of channelNames) {
    const device = byLink(name) ?? bySysfs(name);
    if (device !== undefined) return device;
  }
  return undefined;
}

function byLink(name: string): string | undefined {
  try {
    return realpathSync(path.join(linkFolder, name));
  } catch (error) {
    ignoreAbsence(error);
    return undefined;
  }
}

function bySysfs(name: string): string | undefined {
  try {
    for (const port of readdirSync(sysFolder)) {
      if (readFileSync(path.join(sysFolder, port, "name"), "utf8").trim() !== name) continue;
      return realpathSync(path.join("/dev", port));
    }
    return undefined;
  } catch (error) {
    ignoreAbsence(error); // also a port that is unplugged while we look
    return undefined;
  }
}

function ignoreAbsence(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" && code !== "ENODEV") throw error;
}

/** A virtio port found by its channel name, or any device or terminal by its path. */
export class DeviceTransport implements Transport {
  /** "auto", or an absolute path. */
  readonly #path: string;
  readonly #log: Log;

  constructor(device: string, log: Log) {
    this.#path = device;
    this.#log = log;
    if (device !== "auto" && !path.isAbsolute(device)) {
      throw new CodedError(
        "badDevicePath",
        `${device} is not an absolute path; give auto, /dev/…, unix:/… or unix-listen:/…`,
      );
    }
  }

  get description(): string {
    return this.#path;
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    const backoff = new Backoff();
    for (let said = ""; ;) {
      const device = await this.#find(signal);
      try {
        return new Port((onEvents) => new addon.Port({ device }, onEvents), events);
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        // Gone again, held by the process we replace, or not yet given its mode by udev.
        if (!["ENOENT", "ENODEV", "ENXIO", "EBUSY", "EACCES", "EIO"].includes(code)) {
          throw new CodedError("deviceOpenFailed", `cannot open ${device}: ${message}`, { cause: error });
        }
        if (said !== code) {
          this.#log.warn(
            { device, err: error, code: code === "EBUSY" ? "QXGA-1006" : "QXGA-1002" },
            code === "EBUSY"
              ? "the device is held by another process; retrying"
              : "cannot open the device yet; retrying",
          );
        }
        said = code;
      }
      await backoff.pause(signal);
    }
  }

  close(): void {
    // Holds nothing: the port belongs to the one who opened it.
  }

  async #find(signal: AbortSignal): Promise<string> {
    if (this.#path === "auto") {
      const found = findChannel();
      if (found !== undefined) return found;
      this.#log.info({ names: channelNames }, "no virtio port with one of these names yet; waiting for it");
      return untilFound(
        [path.join("/dev", "vport"), path.join(linkFolder, channelNames[0])],
        findChannel,
        signal,
      );
    }
    const device = this.#path;
    const look = (): string | undefined => {
      try {
        return realpathSync(device);
      } catch (error) {
        ignoreAbsence(error);
        return undefined;
      }
    };
    const found = look();
    if (found !== undefined) return found;
    this.#log.info({ device }, "the device does not exist yet; waiting for it");
    return untilFound([device], look, signal);
  }
}
