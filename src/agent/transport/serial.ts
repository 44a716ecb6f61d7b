import { setTimeout as sleep } from "node:timers/promises";
import type { SerialPort } from "serialport";
import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Port, type PortEvents } from "./port.ts";
import { SerialRawPort } from "./serial-port.ts";
import type { Transport } from "./transport.ts";

/** What a line runs at unless it is said; the serial ports of virtual machines take any, and are as fast as they can be. */
const usualBaudRate = 115_200;

/** Between two tries to open it: nothing tells when a serial line appears, or when another process lets go of it. */
const retryMs = 2_000;

/** `serial:PLACE` or `serial:PLACE,BAUD`: a serial line, by the package serialport, which is loaded only then. */
export class SerialTransport implements Transport {
  readonly #path: string;
  readonly #baudRate: number;
  readonly #log: Log;

  constructor(place: string, log: Log) {
    const [, path = "", baud] = /^(.+?)(?:,(\d{1,7}))?$/.exec(place) ?? [];
    const isLine = process.platform === "win32" ? /^(\\\\\.\\)?COM\d{1,3}$/i : /^\/dev\/./;
    if (!isLine.test(path) || Number(baud) === 0) {
      const example = process.platform === "win32" ? "serial:COM3" : "serial:/dev/ttyS0";
      throw new CodedError("badDevicePath", `serial:${place} names no serial line; write ${example}`);
    }
    this.#path = path;
    this.#baudRate = baud === undefined ? usualBaudRate : Number(baud);
    this.#log = log;
  }

  get description(): string {
    return `serial:${this.#path}`;
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    for (let said = ""; ;) {
      signal.throwIfAborted();
      try {
        const line = await this.#openLine(signal);
        return new Port((onEvents) => new SerialRawPort(line, onEvents), events);
      } catch (error) {
        signal.throwIfAborted();
        const { message } = error as Error;
        const isBusy = /lock|access denied|busy/i.test(message);
        if (said !== message) {
          this.#log.warn(
            { line: this.#path, err: error, code: isBusy ? "QXGA-1006" : "QXGA-1002" },
            isBusy
              ? "the serial line is held by another process, or not for this user; retrying"
              : "cannot open the serial line yet; retrying",
          );
        }
        said = message;
      }
      await sleep(retryMs, undefined, { signal });
    }
  }

  close(): void {
    // Holds nothing: the port belongs to the one who opened it.
  }

  /** Rejects when it is not there or held by somebody; what opens later than the signal is closed again. */
  async #openLine(signal: AbortSignal): Promise<SerialPort> {
    const { SerialPort } = await import("serialport");
    const line = new SerialPort({ path: this.#path, baudRate: this.#baudRate, autoOpen: false });
    return await new Promise((resolve, reject) => {
      const stop = (): void => {
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", stop, { once: true });
      line.open((error) => {
        signal.removeEventListener("abort", stop);
        if (error) reject(error);
        else if (signal.aborted) line.close(() => undefined);
        else resolve(line);
      });
    });
  }
}
