import { EventEmitter, on, once } from "node:events";
import type { AgentMessage } from "../wire/envelope.ts";
import type { RequestFields, RequestName, ResponseName } from "../wire/operations.ts";
import { type CallOptions, defaultTimeoutSeconds } from "./calls.ts";
import { type ExecuteOptions, type ExecuteResult, execute } from "./commands/execute.ts";
import { type CommandInfo, commands } from "./commands/list.ts";
import type { RemoteProcess } from "./commands/remote-process.ts";
import { type AttachOptions, type SpawnOptions, attach, spawn } from "./commands/spawn.ts";
import { Clock } from "./clock/clock.ts";
import { HostError } from "./errors.ts";
import { FileSystems } from "./file-systems/file-systems.ts";
import { Files, type SessionOf } from "./files/files.ts";
import { Link, type LinkOptions } from "./link.ts";
import type {
  AgentErrorEvent,
  AgentReady,
  Capabilities,
  Message,
  Pong,
  TelemetryReport,
} from "./messages.ts";
import type { Terms } from "./negotiate.ts";
import { Network } from "./network/network.ts";
import { plain } from "./plain.ts";
import { Power } from "./power/power.ts";
import { Users } from "./users/users.ts";
import { deferred, secondsFromNow } from "./waiting.ts";

export interface ClientEvents {
  telemetry: [TelemetryReport];
  agentReady: [AgentReady];
  /** An ErrorEvent that answers no call. */
  agentError: [AgentErrorEvent];
  connected: [];
  /** The connection has gone; with `reconnect` it is being made anew. */
  disconnected: [HostError];
}

/** A connection to the agent in one VM. Made by connect(). */
export class Client extends EventEmitter<ClientEvents> {
  /** The guest's files. */
  readonly files: Files;
  /** Passwords and SSH keys of the guest's users. */
  readonly users: Users;
  /** How the guest's network is configured. */
  readonly network: Network;
  /** The file systems that they are on: freezing them for a snapshot, trimming. */
  readonly fileSystems: FileSystems;
  /** The guest's power. */
  readonly power: Power;
  /** The guest's clock. */
  readonly clock: Clock;
  readonly #options: LinkOptions;
  readonly #link: Link;
  #pings = 0;
  #lastTelemetry: TelemetryReport | undefined;
  #lastReady: AgentReady | undefined;

  private constructor(options: LinkOptions) {
    super();
    this.#options = options;
    const sessionOf: SessionOf = (what, callOptions) => this.#link.session(what, callOptions);
    this.files = new Files(sessionOf);
    this.users = new Users(sessionOf);
    this.network = new Network(sessionOf);
    this.fileSystems = new FileSystems(sessionOf);
    this.power = new Power(sessionOf);
    this.clock = new Clock(sessionOf);
    this.#link = new Link(options, {
      up: () => this.emit("connected"),
      message: (message) => {
        this.#receive(message);
      },
      down: (error) => {
        this.#lastReady = undefined;
        this.#lastTelemetry = undefined;
        this.emit("disconnected", error);
      },
    });
  }

  /** Connects and makes the first exchange until the deadline; rejects with a HostError, or as `signal` says. */
  static async connect(options: LinkOptions, deadline: AbortSignal, signal?: AbortSignal): Promise<Client> {
    const client = new Client(options);
    try {
      await client.#link.open(deadline, signal);
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  get socket(): string {
    return this.#options.socket;
  }

  /** "session" with an agent that knows sessions, "plain" with an earlier one. */
  get mode(): Terms["mode"] {
    return this.#link.terms?.mode ?? "plain";
  }

  get agentVersion(): string {
    return this.#link.terms?.agentVersion ?? "";
  }

  /** Sends one request and gives its response as the protocol has it, `error` field included. */
  async request<R extends RequestName>(
    name: R,
    request: RequestFields<R>,
    options: CallOptions = {},
  ): Promise<Message<ResponseName<R>>> {
    const session = await this.#link.session(name, options);
    return await session.request(name, request, options);
  }

  /** Asks for a sign of life. `roundTripMs` is measured here. */
  async ping(options: CallOptions = {}): Promise<Pong> {
    const started = performance.now();
    const pong = await this.request("ping", { sequence: ++this.#pings }, { timeoutSeconds: 5, ...options });
    return { ...pong, roundTripMs: performance.now() - started };
  }

  /** What the agent is and can do. */
  capabilities(options: CallOptions = {}): Promise<Capabilities> {
    return this.request("getCapabilities", {}, options);
  }

  /** How the agent introduced itself: waits for it when it has not yet. */
  async ready(options: CallOptions = {}): Promise<AgentReady> {
    return this.#lastReady ?? (await this.#next("agentReady", options));
  }

  /** The newest report; waits for the first. Agents send one when a host attaches and then every few seconds. */
  async telemetry(options: CallOptions = {}): Promise<TelemetryReport> {
    return this.#lastTelemetry ?? (await this.#next("telemetry", options));
  }

  /** The newest report, if there is one, and every one from now on, until `signal` is aborted or the client closed. */
  async *reports({ signal }: Pick<CallOptions, "signal"> = {}): AsyncGenerator<
    TelemetryReport,
    void,
    undefined
  > {
    const end = AbortSignal.any([this.#link.closing, ...(signal ? [signal] : [])]);
    try {
      const coming = on(this as EventEmitter, "telemetry", { signal: end });
      if (this.#lastTelemetry) yield this.#lastTelemetry;
      for await (const [report] of coming) {
        yield report as TelemetryReport;
      }
    } catch (error) {
      if (!end.aborted) throw error;
    }
  }

  /**
   * Runs a command and gives its output when it has ended. Without args `command` is a line for the guest's shell, with
   * args a program that is looked up in PATH. Rejects with a HostError: "agent-error" when it could not be run, with the
   * agent's code ("QXGA-3001"); "aborted" by `signal`, which also ends it in the guest where the agent can do that.
   * Waits for the command's own limit and 30 s; without timeoutSeconds for as long as the agent lets it run.
   */
  async execute(options: ExecuteOptions): Promise<ExecuteResult> {
    return await execute(await this.#link.session("execute", { signal: options.signal }), options);
  }

  /**
   * Starts a command whose input and output are Node streams; resolves when it runs. Rejects with a HostError:
   * "agent-error" when it could not be started; "not-supported" by an agent without live commands; "aborted" by `signal`,
   * which later ends the command, and `exit` says so.
   */
  async spawn(options: SpawnOptions): Promise<RemoteProcess> {
    return await spawn(await this.#link.session("spawn", { signal: options.signal }), options);
  }

  /**
   * Takes over a command that was kept: what is kept of its output comes first. Rejects with a HostError as spawn(); with
   * agentCode "QXGA-3011" when there is no such command, or it has a host already.
   */
  async attach(execId: string, options: AttachOptions = {}): Promise<RemoteProcess> {
    return await attach(await this.#link.session("attach", { signal: options.signal }), execId, options);
  }

  /** The guest's live commands, oldest first; kept ones that have ended and were not attached since included. */
  async commands(options: CallOptions = {}): Promise<CommandInfo[]> {
    return await commands(await this.#link.session("commands", options), options);
  }

  /** Ends the connection; calls under way, and processes, fail with "aborted". Idempotent. */
  async close(): Promise<void> {
    this.#link.close(new HostError("aborted", "the client was closed"));
    await Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive({ telemetry, agentReady, error }: AgentMessage): void {
    if (telemetry) {
      this.#lastTelemetry = plain<NonNullable<AgentMessage["telemetry"]>>(telemetry);
      this.emit("telemetry", this.#lastTelemetry);
    } else if (agentReady) {
      this.#lastReady = plain<NonNullable<AgentMessage["agentReady"]>>(agentReady);
      this.emit("agentReady", this.#lastReady);
    } else if (error) {
      this.emit("agentError", plain<NonNullable<AgentMessage["error"]>>(error));
    }
  }

  async #next<Name extends "telemetry" | "agentReady">(
    name: Name,
    { signal, timeoutSeconds = defaultTimeoutSeconds }: CallOptions,
  ): Promise<ClientEvents[Name][0]> {
    const deadline = secondsFromNow(timeoutSeconds);
    const end = AbortSignal.any([deadline, this.#link.closing, ...(signal ? [signal] : [])]);
    const lost = deferred<never>();
    const onLost = (error: HostError): void => {
      if (!this.#options.reconnect) lost.reject(error);
    };
    this.on("disconnected", onLost);
    try {
      const event = once(this as EventEmitter, name, { signal: end }) as Promise<ClientEvents[Name]>;
      const [value] = await Promise.race([event, lost.promise]);
      return value;
    } catch (error) {
      if (!end.aborted) throw error;
      throw deadline.aborted
        ? new HostError("timed-out", `no ${name} came within ${timeoutSeconds} s`)
        : new HostError("aborted", `waiting for ${name} was given up`, { cause: error });
    } finally {
      this.off("disconnected", onLost);
    }
  }
}
