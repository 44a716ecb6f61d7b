import { once } from "node:events";
import { addon } from "../../native/addon.ts";
import type { RawListener } from "../../native/port.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Log } from "../log.ts";
import { Port, type PortEvents } from "./port.ts";
import type { Transport } from "./transport.ts";
import { Backoff } from "./wait.ts";

/** Pipes of this machine only: one of another would be reached over the network. */
function checkPath(scheme: string, path: string): string {
  if (/^\\\\[.?]\\pipe\\[^\\]/i.test(path) && path.length <= 256) return path;
  throw new CodedError(
    "badDevicePath",
    `${scheme}:${path} names no pipe; write ${scheme}:\\\\.\\pipe\\NAME, of at most 256 characters`,
  );
}

/** `pipe:PATH`: connects to a named pipe that somebody serves, at once and then with pauses that grow to a second. */
export class PipeTransport implements Transport {
  readonly #backoff = new Backoff();
  readonly #path: string;
  readonly #log: Log;
  #openedAt = 0;

  constructor(path: string, log: Log) {
    this.#path = checkPath("pipe", path);
    this.#log = log;
  }

  get description(): string {
    return `pipe:${this.#path}`;
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    // A server that takes each connection and drops it must not be called in a tight loop.
    if (performance.now() - this.#openedAt > steadyMs) this.#backoff.reset();
    for (let said = ""; ;) {
      await this.#backoff.pause(signal);
      try {
        const port = new Port((onEvents) => new addon.Port({ socket: this.#path }, onEvents), events);
        this.#openedAt = performance.now();
        return port;
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        if (!["ENOENT", "EBUSY", "EACCES"].includes(code)) {
          throw new CodedError("deviceOpenFailed", `cannot connect to ${this.#path}: ${message}`, {
            cause: error,
          });
        }
        if (said !== code) this.#log.warn({ pipe: this.#path, err: error }, "cannot connect yet; retrying");
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

/**
 * `pipe-listen:PATH`: serves a named pipe, to one client at a time: one more may wait, others are told that it is busy.
 * Only SYSTEM and administrators of this machine may connect.
 */
export class PipeListenTransport implements Transport {
  readonly #path: string;
  readonly #clients = new EventTarget();
  #listener: RawListener | undefined;

  constructor(path: string) {
    this.#path = checkPath("pipe-listen", path);
  }

  get description(): string {
    return `pipe-listen:${this.#path}`;
  }

  async open(events: PortEvents, signal: AbortSignal): Promise<Port> {
    this.#listener ??= this.#listen();
    for (;;) {
      signal.throwIfAborted();
      const client = once(this.#clients, "client", { signal });
      client.catch(() => undefined); // who accepts one below does not wait for it
      const fd = this.#accept(this.#listener);
      if (fd >= 0) {
        return new Port((onEvents) => new addon.Port({ fd, kind: "socket" }, onEvents), events);
      }
      await client;
    }
  }

  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #listen(): RawListener {
    try {
      return new addon.Listener(this.#path, () => this.#clients.dispatchEvent(new Event("client")));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #accept(listener: RawListener): number {
    try {
      return listener.accept();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): CodedError {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "another process serves a pipe of this name" : message;
    return new CodedError("deviceOpenFailed", `cannot serve ${this.#path}: ${why}`, { cause: error });
  }
}
