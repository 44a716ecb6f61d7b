import { availableParallelism, constants } from "node:os";
import { addon } from "../../native/addon.ts";
import type { RawProcess, SpawnOptions } from "../../native/process.ts";
import { closeStream } from "../../native/streams.ts";
import { commandSystem as system } from "../platform/commands.ts";
import type { Cgroups } from "./cgroups.ts";
import { Gate } from "./gate.ts";
import { OutputPipe } from "./output-pipe.ts";

/** How a process ended: by its exit code, or, when that is not 0, by the signal. */
export interface Exit {
  code: number;
  signal: number;
}

/** What a shell would say: 128+n after death by signal n. */
export function exitCodeOf({ code, signal }: Exit): number {
  return signal === 0 ? code : 128 + signal;
}

/** Longest from the fork to the exec; only a process that somebody has stopped takes so long. */
const startDeadlineMs = 10_000;

/**
 * Starts under way at a time: each is a thread and a process that want a CPU, and a hundred of them would keep the
 * agent from its own. One that is held up, because somebody has stopped it, does not hold up the others.
 */
const starting = new Gate(4 * availableParallelism(), 50);

/** How long a command that is asked to end may take before it is made to. */
const graceMs = 2_000;

/**
 * How long a killed process may take to end before it counts as ended: one in a system call that hangs does not end, and
 * whoever traces it, as its user may, hides its end.
 */
const dyingMs = 2_000;

/** STATUS_CONTROL_C_EXIT: what Windows makes of a process that does not say what it does when its console asks for the end. */
const controlExit = 0xc000013a | 0;

/** How often it is looked, after a tree was killed, whether all of it has ended. */
const goneMs = 5;

/** How often it is looked whether the children of a command that was asked to end have ended too. */
const lookMs = 100;

/** A process with all that it starts. It is the leader of a process group and, where there are cgroups, alone in one. */
export class Command {
  readonly startedAt = performance.now();
  readonly pid: number;
  /** Who it runs as. */
  readonly user: string;
  /** What was executed. */
  readonly file: string;
  /** Resolves when the process itself has ended. Its children may live on. */
  readonly exited: Promise<Exit>;
  readonly stdout: OutputPipe | undefined;
  readonly stderr: OutputPipe | undefined;
  /** The stream to write to, for openStream; the caller owns it. -1 without standard input. */
  readonly stdin: number;
  /** stdout is a terminal, to be written to as well. */
  readonly isTerminal: boolean;
  readonly #process: RawProcess;
  readonly #cgroups: Cgroups;
  readonly #cgroup: string | undefined;
  readonly #onEnd: (command: Command) => void;
  #onExit: (exit: Exit) => void = () => undefined;
  #givingUp: NodeJS.Timeout | undefined;
  #exit: Exit | undefined;
  #grace: NodeJS.Timeout | undefined;
  /** The last signal other than a kill. */
  #asked = 0;
  #killed = false;
  #released = false;
  #ended = false;

  private constructor(
    user: string,
    raw: RawProcess,
    exited: Promise<Exit>,
    cgroups: Cgroups,
    onEnd: (command: Command) => void,
  ) {
    this.#process = raw;
    this.#cgroups = cgroups;
    this.#cgroup = raw.cgroup === "" ? undefined : raw.cgroup;
    this.file = raw.file;
    this.#onEnd = onEnd;
    this.pid = raw.pid;
    this.user = user;
    this.stdin = raw.stdin;
    this.isTerminal = raw.pty >= 0;
    [this.stdout, this.stderr] = openPipes(raw);
    this.exited = new Promise((resolve) => {
      this.#onExit = (exit) => {
        if (this.#exit !== undefined) return;
        clearTimeout(this.#givingUp);
        this.#exit = exit;
        this.#settle();
        resolve(exit);
      };
    });
    void exited.then((exit) => {
      if (exit.code === controlExit && this.#asked > 0) this.#onExit({ code: 0, signal: this.#asked });
      else if (this.#killed && raw.members !== undefined) this.#whenGone(exit);
      else this.#onExit(exit);
    });
  }

  /**
   * Starts a process; `onEnd` is told when nothing of it is left to look after. Rejects with an error of Node's shape
   * whose syscall says which step failed, or with the signal's reason.
   */
  static async start(
    user: string,
    options: SpawnOptions,
    cgroups: Cgroups,
    signal: AbortSignal,
    onEnd: (command: Command) => void,
  ): Promise<Command> {
    const leave = await starting.enter();
    const offered = signal.aborted ? [] : await cgroups.offer();
    if (signal.aborted) {
      leave();
      cgroups.take(offered, "");
      signal.throwIfAborted();
    }
    let onExit: (exit: Exit) => void = () => undefined;
    const exited = new Promise<Exit>((resolve) => (onExit = resolve));
    const pending = addon.spawn({ ...options, cgroups: offered }, (code, number) => {
      onExit({ code, signal: number });
    });
    const abort = (): void => {
      pending.abort();
    };
    const deadline = setTimeout(abort, startDeadlineMs);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const raw = await pending.ready;
      cgroups.take(offered, raw.cgroup);
      try {
        return new Command(user, raw, exited, cgroups, onEnd);
      } catch (error) {
        raw.signalGroup(constants.signals.SIGKILL);
        raw.close();
        if (raw.cgroup !== "") cgroups.giveBack(raw.cgroup);
        throw error;
      }
    } catch (error) {
      cgroups.take(offered, "");
      signal.throwIfAborted();
      throw error;
    } finally {
      leave();
      clearTimeout(deadline);
      signal.removeEventListener("abort", abort);
    }
  }

  get durationMs(): number {
    return performance.now() - this.startedAt;
  }

  /** To its process group. False when it has ended. */
  signal(number: number): boolean {
    if (this.#exit !== undefined) return false;
    if (number !== constants.signals.SIGKILL) this.#asked = number;
    return system.signal(this.#process, number);
  }

  /** Not when its terminal has ended: the descriptor, and the terminal's index, may be another command's by now. */
  resize(columns: number, rows: number): void {
    if (!this.#ended && this.stdout?.ended === false) this.#process.resize(columns, rows);
  }

  /** Ends it and all that it has started: asks first, and then does not ask. Idempotent. */
  terminate(): void {
    if (this.#grace !== undefined || this.#ended) return;
    this.#asked = constants.signals.SIGTERM;
    this.#signalOurs(constants.signals.SIGTERM);
    this.#signalOurs(constants.signals.SIGCONT); // a stopped process has the signal only when it goes on
    const until = performance.now() + graceMs;
    const look = async (): Promise<void> => {
      const isGone = this.#exit !== undefined && (await this.#isEmpty());
      if (isGone || performance.now() >= until) await this.kill();
      else this.#grace = setTimeout(() => void look(), lookMs);
    };
    this.#grace = setTimeout(() => void look(), lookMs);
  }

  /** Ends it and all that it has started, now: what it has printed can still be read. */
  async kill(): Promise<void> {
    if (this.#ended) return;
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#killed = true;
    this.#signalOurs(constants.signals.SIGKILL);
    if (this.#exit === undefined) {
      this.#givingUp ??= setTimeout(() => {
        this.#onExit({ code: 0, signal: constants.signals.SIGKILL });
      }, dyingMs);
    }
    // Before it is given back: no other command may have it then.
    const killed = this.#cgroup === undefined ? undefined : this.#cgroups.kill(this.#cgroup);
    this.#settle();
    await killed;
  }

  /** For where nobody is to be told: EPERM, an agent without privileges that has started something with more. */
  #signalOurs(number: number): void {
    try {
      system.signal(this.#process, number);
    } catch {
      // It is given up soon. Windows has no SIGCONT.
    }
  }

  /** Nothing of it lives, as far as the system can tell: a kernel without cgroups cannot. */
  async #isEmpty(): Promise<boolean> {
    if (this.#process.members) return this.#process.members() === 0;
    return this.#cgroup !== undefined && (await this.#cgroups.isEmpty(this.#cgroup));
  }

  /** Tells the end of a tree that was killed when all of it has ended, or was given up. */
  #whenGone(exit: Exit): void {
    if (this.#exit !== undefined) return;
    if (this.#process.members?.() === 0) this.#onExit(exit);
    else
      setTimeout(() => {
        this.#whenGone(exit);
      }, goneMs);
  }

  /** Its output is of no more interest. What it has left running lives on. */
  release(): void {
    this.stdout?.close();
    this.stderr?.close();
    this.#released = true;
    this.#settle();
  }

  /** The process stays a zombie until here, so that the number of its group is nobody else's when the group is killed. */
  #settle(): void {
    if (this.#ended || this.#exit === undefined || !this.#released || this.#grace !== undefined) return;
    this.#ended = true;
    this.#process.close();
    if (this.#cgroup !== undefined) this.#cgroups.giveBack(this.#cgroup);
    this.#onEnd(this);
  }
}

/** Standard output, or the terminal, and standard error. All descriptors are closed when it fails, as for want of another. */
function openPipes({ stdin, stdout, stderr, pty }: RawProcess): (OutputPipe | undefined)[] {
  const left = [pty >= 0 ? pty : stdout, stderr];
  const pipes: (OutputPipe | undefined)[] = [];
  try {
    for (let stream = left.shift(); stream !== undefined; stream = left.shift()) {
      pipes.push(stream >= 0 ? new OutputPipe(stream) : undefined);
    }
    return pipes;
  } catch (error) {
    for (const pipe of pipes) pipe?.close();
    for (const stream of [stdin, ...left]) if (stream >= 0) closeStream(stream);
    throw error;
  }
}
