import { lstatSync, rmSync, unlinkSync } from "node:fs";
import { addon } from "../../native/addon.ts";
import type { RawListener } from "../../native/port.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Port, type PortEvents } from "./port.ts";
import type { Transport } from "./transport.ts";
import { Backoff } from "./wait.ts";

/** `unix:PATH`: connects to a socket that somebody serves, at once and then with pauses that grow to a second. */
export class UnixTransport implements Transport {
  readonly #backoff = new Backoff();
  #openedAt = 0;

  constructor(
    readonly path: string,
    readonly log: Log,
  ) {}

  get description(): string {
    return `unix:${this.path}`;
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    // A server that takes each connection and drops it must not be called in a tight loop.
    if (performance.now() - this.#openedAt > steadyMs) this.#backoff.reset();
    for (let said = ""; ;) {
      await this.#backoff.pause(signal);
      try {
        const port = new Port((onEvents) => new addon.Port({ socket: this.path }, onEvents), events);
        this.#openedAt = performance.now();
        return port;
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        if (!["ENOENT", "ECONNREFUSED", "EAGAIN", "EACCES"].includes(code)) {
          throw new CodedError("deviceOpenFailed", `cannot connect to ${this.path}: ${message}`, {
            cause: error,
          });
        }
        if (said !== code) this.log.warn({ socket: this.path, err: error }, "cannot connect yet; retrying");
        said = code;
      }
    }
  }

  close(): void {
    // Holds nothing: the port belongs to the one who opened it.
  }
}

/** A connection that has lasted this long ends a row of failures. */
const steadyMs = 1_000;

/** `unix-listen:PATH`: serves a socket as QEMU does, to one client at a time; others wait in the backlog. */
export class UnixListenTransport implements Transport {
  #listener: RawListener | undefined;
  #onClient = (): void => undefined;

  constructor(readonly path: string) {}

  get description(): string {
    return `unix-listen:${this.path}`;
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    this.#listener ??= this.#listen();
    for (;;) {
      signal.throwIfAborted();
      const fd = this.#listener.accept();
      if (fd >= 0) return new Port((onEvents) => new addon.Port({ fd }, onEvents), events);
      await new Promise<void>((resolve, reject) => {
        const stop = (): void => {
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", stop, { once: true });
        this.#onClient = () => {
          signal.removeEventListener("abort", stop);
          resolve();
        };
      });
    }
  }

  close(): void {
    if (this.#listener === undefined) return;
    this.#listener.close();
    this.#listener = undefined;
    rmSync(this.path, { force: true });
  }

  #listen(): RawListener {
    const make = (): RawListener =>
      new addon.Listener(this.path, () => {
        this.#onClient();
      });
    try {
      return make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE" && this.#removeStale()) return make();
      const why = (error as Error).message;
      throw new CodedError("deviceOpenFailed", `cannot serve ${this.path}: ${why}`, { cause: error });
    }
  }

  /** A socket file nobody answers at is left over from a process that was killed. */
  #removeStale(): boolean {
    if (!lstatSync(this.path).isSocket()) return false;
    try {
      new addon.Port({ socket: this.path }, () => undefined).close();
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") return false;
      unlinkSync(this.path);
      return true;
    }
  }
}
