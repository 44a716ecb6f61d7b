import os from "node:os";
import { maxFrameBytes } from "../wire/frame.ts";
import type { Response } from "../wire/operations.ts";
import type { Envelope } from "../wire/envelope.ts";
import type { Audit } from "./audit/audit.ts";
import { Clock } from "./clock/clock.ts";
import type { ClockSystem } from "./clock/system.ts";
import { Commands } from "./commands/commands.ts";
import { LiveCommands } from "./commands/live-commands.ts";
import type { Config } from "./config/config.ts";
import { reloaded } from "./config/reload.ts";
import { Files } from "./files/files.ts";
import { handlers } from "./handlers/index.ts";
import { LateNetwork } from "./network/late-network.ts";
import {
  type OperatingSystem,
  operatingSystem,
  passwordSetter,
  powerSystem,
  systemClock,
} from "./platform/index.ts";
import { FreezeGate } from "./quiesce/gate.ts";
import type { Freezer } from "./quiesce/freezer.ts";
import { HookFolders } from "./quiesce/hook-folders.ts";
import { Quiesce } from "./quiesce/quiesce.ts";
import { RecordFile, recordFolder } from "./quiesce/record.ts";
import { unsupportedFreezer } from "./quiesce/unsupported.ts";
import { Power } from "./power/power.ts";
import { PlanRecord } from "./power/record.ts";
import type { PowerSystem } from "./power/system.ts";
import { Policy } from "./policy/policy.ts";
import { Router } from "./session/router.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { Tools } from "./tools/tools.ts";
import { Transfers } from "./transfers/transfers.ts";
import type { Log } from "./log.ts";
import type { PasswordSetter } from "./users/passwords.ts";
import { version } from "../version.ts";

/** Extensions of this project that a host may use after its hello, besides the operations that have handlers. */
const extensions = ["hello", "telemetry-extended", "exec", "files", "users"];

/** What reaches beyond this process and its files. Tests give their own. */
export interface Machine {
  power?: PowerSystem;
  clock?: ClockSystem;
  /** Without one no file system can be frozen or trimmed. */
  freezer?: Freezer;
  /** Where it is recorded what is frozen; see RecordFile. */
  recordFolder?: string;
  /** Real paths of what is the agent's own; see PathPolicy. */
  own?: readonly string[];
  /** Has log lines wait in memory until what it gives is called. */
  holdLog?: () => () => void;
}

/** What all sessions of this process share. */
export class Agent {
  readonly policy: Policy;
  readonly router: Router;
  readonly commands: Commands;
  readonly tools: Tools;
  readonly passwords: PasswordSetter;
  readonly files: Files;
  readonly transfers: Transfers;
  readonly network: LateNetwork;
  readonly freezer: Freezer;
  readonly quiesce: Quiesce;
  readonly power: Power;
  readonly clock: Clock;
  /** Those whose input and output are streams. */
  readonly live = new LiveCommands();
  #config: Config;
  readonly #startedAt = performance.now();
  readonly #system: OperatingSystem = operatingSystem();

  constructor(
    config: Config,
    readonly telemetry: Telemetry,
    readonly audit: Audit,
    log: Log,
    machine: Machine = {},
  ) {
    this.#config = config;
    const gate = new FreezeGate(machine.holdLog ?? (() => () => undefined));
    this.policy = new Policy(config.security, machine.own);
    this.router = new Router(handlers, this.policy, (name) => gate.refusal(name));
    this.commands = new Commands(this.policy, audit);
    this.tools = new Tools(this.commands);
    this.passwords = passwordSetter(this.tools);
    this.files = new Files(this.policy, audit);
    this.transfers = new Transfers(config.state_dir, log);
    this.network = new LateNetwork({ stateDir: config.state_dir, tools: this.tools, log });
    this.freezer = machine.freezer ?? unsupportedFreezer("this agent cannot freeze or trim file systems");
    this.quiesce = new Quiesce({
      freezer: this.freezer,
      gate,
      log,
      record: new RecordFile(machine.recordFolder ?? recordFolder),
      hooks: new HookFolders({
        tools: this.tools,
        log,
        preFreezeFolder: config.pre_freeze_script_dir,
        postThawFolder: config.post_thaw_script_dir,
        restricted: () => this.policy.commands.looksAtPrograms,
      }),
    });
    const power = machine.power ?? powerSystem(this.tools);
    const plan = new PlanRecord(config.state_dir);
    this.power = new Power(power, plan, () => gate.opened(), audit, log);
    this.clock = new Clock(machine.clock ?? systemClock(this.tools), log);
  }

  /** Takes up what an earlier agent has left, in the background. */
  begin(): void {
    void this.transfers.clean();
    this.network.start();
    void this.power.restore({ allowed: this.policy.operations.isAllowed("shutdown") });
    void this.clock.begin();
  }

  /** Ends what must not outlive the agent. */
  async close(): Promise<void> {
    this.power.close();
    await Promise.all([
      this.quiesce.close(),
      this.network.close(),
      this.commands.close(),
      this.transfers.close(),
      this.clock.close(),
    ]);
  }

  get config(): Config {
    return this.#config;
  }

  /** Takes over what a running agent can of a config that has been read again; see reloaded(). */
  reconfigure(next: Config): { changed: string[]; later: string[] } {
    const { config, changed, later } = reloaded(this.#config, next);
    this.#config = config;
    this.policy.replace(config.security);
    this.telemetry.configure({
      intervalSeconds: config.telemetry_interval_secs,
      excludeInterfaces: config.telemetry_exclude_interfaces,
    });
    return { changed, later };
  }

  get uptimeSeconds(): number {
    return Math.floor((performance.now() - this.#startedAt) / 1000);
  }

  /** Names of the operations that work, as in the .proto, and of the extensions. */
  get capabilities(): string[] {
    return [...new Set(["telemetry", ...this.router.operations, ...extensions])].sort();
  }

  get system(): OperatingSystem {
    return this.#system;
  }

  readyEvent(sessionId: string | undefined): NonNullable<Envelope["agentReady"]> {
    const { name, version: osVersion, kernel, architecture } = this.#system;
    return {
      version,
      osName: name,
      osVersion,
      kernelVersion: kernel,
      architecture,
      hostname: os.hostname(),
      ipAddresses: addresses(),
      capabilities: this.capabilities,
      ...(sessionId !== undefined && { sessionId }),
    };
  }

  helloResponse(sessionId: string): Response<"hello"> {
    return { success: true, sessionId, agentVersion: version, features: this.capabilities, maxFrameBytes };
  }
}

/** Addresses that a host can reach the guest by: neither loopback nor link-local. */
function addresses(): string[] {
  return Object.values(os.networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address);
}
