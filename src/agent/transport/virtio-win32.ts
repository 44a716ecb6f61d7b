import { setTimeout as sleep } from "node:timers/promises";
import { addon } from "../../native/addon.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Port, type PortEvents } from "./port.ts";
import type { Transport } from "./transport.ts";
import { channelNames } from "./virtio.ts";
import { Backoff } from "./wait.ts";

/** Where the driver gives a port its name: for all sessions, not only that of whoever looks. */
const deviceFolder = "\\\\.\\Global\\";

/** How often it is looked for where Windows does not tell that it has come. */
const lookMs = 5_000;

/** Why a device could not be opened, and what is to be done about it. */
const advice: Readonly<Record<string, { code: string; message: string }>> = {
  EBUSY: {
    code: "QXGA-1006",
    message: "the device is held by another process, such as another agent; end that one; retrying",
  },
  EACCES: {
    code: "QXGA-1002",
    message:
      "the device may be opened by SYSTEM and administrators only; run the agent as a service; retrying",
  },
};

/** A virtio port, found by its channel name, or any device by its path. */
export class WindowsDeviceTransport implements Transport {
  readonly #devices: readonly string[];
  readonly #log: Log;

  /** `device` is "auto", or a path like `\\.\Global\org.limiquantix.agent.0` or `\\.\COM3`. */
  constructor(
    readonly description: string,
    log: Log,
  ) {
    this.#log = log;
    if (description !== "auto" && !/^\\\\[.?]\\[^\\]/.test(description)) {
      throw new CodedError(
        "badDevicePath",
        `${description} is no device; give auto, or one like ${deviceFolder}${channelNames[0]}`,
      );
    }
    this.#devices = description === "auto" ? channelNames.map((name) => deviceFolder + name) : [description];
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    const backoff = new Backoff();
    for (let said = ""; ;) {
      const { port, error } = this.#openFirst(events);
      if (port) return port;
      const { code = "" } = error;
      if (said !== code) this.#say(error);
      said = code;
      if (code === "ENOENT") await sleep(lookMs, undefined, { signal });
      else await backoff.pause(signal);
    }
  }

  close(): void {
    // Holds nothing: the port belongs to the one who opened it.
  }

  /** The first that there is, or why there is none. Throws CodedError when waiting cannot help. */
  #openFirst(events: PortEvents): { port: Port; error?: never } | { port?: never; error: Failure } {
    let last: Failure = Object.assign(new Error("ENOENT: there is no such device"), { code: "ENOENT" });
    for (const device of this.#devices) {
      try {
        return { port: new Port((onEvents) => new addon.Port({ device }, onEvents), events) };
      } catch (error) {
        last = error as Failure;
        const { code = "", message } = last;
        if (!["ENOENT", "ENODEV", "EBUSY", "EACCES", "EIO"].includes(code))
          throw new CodedError("deviceOpenFailed", `cannot open ${device}: ${message}`, { cause: error });
        if (code !== "ENOENT") break;
      }
    }
    return { error: last };
  }

  #say(error: Failure): void {
    const known = advice[error.code ?? ""];
    if (error.code === "ENOENT") {
      this.#log.info({ devices: this.#devices }, "there is no such device yet; waiting for it");
      return;
    }
    this.#log.warn(
      { devices: this.#devices, err: error, code: known?.code ?? "QXGA-1002" },
      known?.message ?? "cannot open the device yet; retrying",
    );
  }
}

type Failure = NodeJS.ErrnoException;
