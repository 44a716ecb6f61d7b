import { addon } from "../../native/addon.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { untilArrived } from "./arrival-win32.ts";
import { Port, type PortEvents } from "./port.ts";
import type { Transport } from "./transport.ts";
import { channelNames } from "./virtio.ts";
import { Backoff } from "./wait.ts";

/** Where the driver gives a port its name: for all sessions, not only that of whoever looks. */
const deviceFolder = "\\\\.\\Global\\";

/** Gone again, held by the process that we replace, or denied until then: as these it is tried again. */
const waitable = ["ENODEV", "EBUSY", "EACCES", "EIO"];

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
    let said = "";
    const look = (): Port | Failure | undefined => {
      const result = this.#openFirst(events);
      const code = result instanceof Port ? "" : (result.code ?? "");
      if (!(result instanceof Port) && said !== code) this.#say(result);
      said = code;
      return code === "ENOENT" ? undefined : result;
    };
    for (;;) {
      const result = await untilArrived(look, signal);
      if (result instanceof Port) return result;
      await backoff.pause(signal);
    }
  }

  close(): void {
    // Holds nothing: the port belongs to the one who opened it.
  }

  /** The first that there is, or why it could not be opened. Throws CodedError when waiting cannot help. */
  #openFirst(events: PortEvents): Port | Failure {
    let absent: Failure | undefined;
    for (const device of this.#devices) {
      try {
        return new Port((onEvents) => new addon.Port({ device }, onEvents), events);
      } catch (error) {
        const failure = error as Failure;
        const { code = "", message } = failure;
        if (code === "ENOENT") {
          absent ??= failure;
          continue;
        }
        if (waitable.includes(code)) return failure;
        throw new CodedError("deviceOpenFailed", `cannot open ${device}: ${message}`, { cause: error });
      }
    }
    return absent ?? new Error("there is no device to open");
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
