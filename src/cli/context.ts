import type { Client, ConnectOptions, Target } from "../host/index.ts";
import { UsageError } from "./failure.ts";
import type { Diversion, Interruptions } from "./interruption.ts";
import { jsonLine } from "./ui/printable.ts";

/** The options that every command takes. */
export interface GlobalOptions {
  vm?: string;
  socket?: string;
  json?: boolean;
  /** In seconds. */
  timeout?: number;
}

/** What a command works with: the options common to all, the way to the agent, and the way out. */
export class Context {
  readonly json: boolean;
  /** Undefined unless the user gave one: each kind of waiting then has its own limit. */
  readonly timeoutSeconds: number | undefined;
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  readonly #options: GlobalOptions;
  readonly #interruptions: Interruptions;

  constructor(options: GlobalOptions, interruptions: Interruptions) {
    this.#options = options;
    this.#interruptions = interruptions;
    this.json = options.json ?? false;
    this.timeoutSeconds = options.timeout;
    this.signal = interruptions.signal;
  }

  /** Which VM: --vm or --socket, else LIMIQUANTIX_VM or LIMIQUANTIX_SOCKET. Throws UsageError unless it is one. */
  get target(): Target {
    const given = pick(
      this.#options.vm,
      this.#options.socket,
      "--vm and --socket are both given; one VM at a time",
    );
    if (given) return given;
    const { LIMIQUANTIX_VM: vm, LIMIQUANTIX_SOCKET: socket } = process.env;
    const usual = pick(
      vm,
      socket,
      "LIMIQUANTIX_VM and LIMIQUANTIX_SOCKET are both set; unset one, or give --vm or --socket",
    );
    if (usual) return usual;
    throw new UsageError(
      'which VM? Give --vm NAME or --socket PATH; "limiquantix-ctl vms" shows those on this host',
    );
  }

  /** The VM as the user named it. */
  get targetName(): string {
    const { vm, socket } = this.target;
    return vm ?? socket;
  }

  /** The same for another VM, which an operand named: "web1:/path". Throws UsageError when an option names another. */
  inVm(vm: string | undefined): Context {
    const { vm: usual, socket, ...options } = this.#options;
    if (vm === undefined || vm === usual) return this;
    if (usual ?? socket) {
      const option = usual === undefined ? `--socket ${socket ?? ""}` : `--vm ${usual}`;
      throw new UsageError(`${vm} and ${option} are both given; one VM at a time`);
    }
    return new Context({ ...options, vm }, this.#interruptions);
  }

  /** Where VMs are looked for. */
  get root(): string {
    return process.env["LIMIQUANTIX_ROOT"] || "/";
  }

  /** For the calls of a Client. */
  get call(): { signal: AbortSignal; timeoutSeconds?: number } {
    const { signal, timeoutSeconds } = this;
    return timeoutSeconds === undefined ? { signal } : { signal, timeoutSeconds };
  }

  /** Has what would end this process told to `diversion`, until the result is disposed of. */
  divert(diversion: Diversion): Disposable {
    return this.#interruptions.divert(diversion);
  }

  /** Connects to the agent in the VM that the user named. Rejects with a HostError or a UsageError. */
  async connect(options: Pick<ConnectOptions, "reconnect" | "timeoutSeconds"> = {}): Promise<Client> {
    const { target, root, call } = this;
    const { connect } = await import("../host/index.ts");
    return connect({ root, reconnect: false, ...call, ...target, ...options });
  }

  /** Prints a line for people. What the guest said in it must be printable() already. */
  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  printJson(value: unknown): void {
    process.stdout.write(`${jsonLine(value)}\n`);
  }

  /** Says something beside the output. */
  note(text: string): void {
    process.stderr.write(`limiquantix-ctl: ${text}\n`);
  }
}

function pick(vm: string | undefined, socket: string | undefined, problem: string): Target | undefined {
  if (vm && socket) throw new UsageError(problem);
  return vm ? { vm } : socket ? { socket } : undefined;
}
