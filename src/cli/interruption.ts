import { constants } from "node:os";

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The signals that a command in the guest can be given in our place. */
export type DivertedSignal = (typeof endingSignals)[number] | "SIGQUIT";

/** Why a command was ended early: the reason of the signal that Interruptions has. */
export class Interruption {
  constructor(readonly signal: (typeof endingSignals)[number]) {}

  get exitCode(): number {
    return exitCodeOfSignal(this.signal);
  }
}

/** As a shell has it: 130 for SIGINT. */
export function exitCodeOfSignal(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}

/** What is told of this process's signals, and of the end of its output, instead of that it ends. */
export interface Diversion {
  signal(name: DivertedSignal): void;
  /** Nobody reads standard output any more, or it cannot be written. */
  outputFailed(error: NodeJS.ErrnoException): void;
}

/** What ends this process early. */
export class Interruptions {
  readonly #controller = new AbortController();
  #diversion: Diversion | undefined;

  constructor() {
    for (const name of endingSignals) {
      process.on(name, () => {
        if (this.#diversion) this.#diversion.signal(name);
        else this.#interrupt(new Interruption(name));
      });
    }
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#diversion) this.#diversion.outputFailed(error);
      // The reader has gone, as `head` does when it has enough; or the terminal has.
      else process.exit(isGone(error) ? 0 : 1);
    });
    process.stderr.on("error", () => undefined); // nobody left to tell
  }

  /** Aborted when the user or the system wants this process to end. The second time it ends at once. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get interruption(): Interruption | undefined {
    const reason: unknown = this.signal.reason;
    return reason instanceof Interruption ? reason : undefined;
  }

  /** Until the result is disposed of, `diversion` decides. */
  divert(diversion: Diversion): Disposable {
    const quit = (): void => {
      diversion.signal("SIGQUIT");
    };
    this.#diversion = diversion;
    process.on("SIGQUIT", quit); // ends a process with a core dump otherwise
    return {
      [Symbol.dispose]: () => {
        process.off("SIGQUIT", quit);
        this.#diversion = undefined;
      },
    };
  }

  #interrupt(why: Interruption): void {
    if (this.signal.aborted) process.exit(why.exitCode);
    this.#controller.abort(why);
  }
}

/** Whether a write failed because there is no reader any more, or no terminal. */
export function isGone({ code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || code === "EIO";
}
