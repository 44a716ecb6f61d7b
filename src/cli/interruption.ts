import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Why a command was ended early: the reason of the signal that listenForInterruption() gives. */
export class Interruption {
  constructor(readonly signal: (typeof signals)[number]) {}

  /** As a shell has it: 130 for SIGINT. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal];
  }
}

/** A signal that is aborted when the user or the system wants this process to end. The second time it ends at once. */
export function listenForInterruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of signals) {
    process.on(name, () => {
      const why = new Interruption(name);
      if (controller.signal.aborted) process.exit(why.exitCode);
      controller.abort(why);
    });
  }
  return controller.signal;
}

export function interruption(signal: AbortSignal): Interruption | undefined {
  return signal.reason instanceof Interruption ? signal.reason : undefined;
}
