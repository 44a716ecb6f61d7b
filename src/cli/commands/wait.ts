import { setTimeout as sleep } from "node:timers/promises";
import { HostError } from "../../host/errors.ts";
import type { Client } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { printable } from "../ui/printable.ts";
import { Progress } from "../ui/progress.ts";

const defaultWaitSeconds = 60;
/** A try is given up after this long, so that its reason can be shown; the next one begins. */
const trySeconds = 5;
const longestPauseMs = 250;
/** With less time left another try would tell nothing. */
const shortestTryMs = 20;

export const wait = defineCommand({
  usage: "wait",
  summary: "wait until the agent in a VM answers",
  description:
    `Waits ${defaultWaitSeconds} s, or --timeout. The VM need not run yet. Prints nothing when the agent answers.\n` +
    "When it does not in time, the exit code is 4 and the message has the reason of the last try.",
  examples: [
    ["limiquantix-ctl wait --vm web1", ""],
    ["limiquantix-ctl wait --vm web1 --timeout 5m && echo up", "a guest that boots slowly"],
  ],
  async run(context) {
    const started = performance.now();
    const limitSeconds = context.timeoutSeconds ?? defaultWaitSeconds;
    const secondsWaited = (): number => (performance.now() - started) / 1000;
    const progress = new Progress();
    try {
      await using client = await tryUntilConnected(context, limitSeconds, secondsWaited, progress);
      if (context.json) {
        const { target } = context;
        const { socket, agentVersion } = client;
        const vm = target.vm === undefined ? {} : { vm: target.vm };
        context.printJson({ ...vm, socket, agentVersion, waitedSeconds: wholeMs(secondsWaited()) });
      }
      return exitCode.ok;
    } finally {
      progress.end();
    }
  },
});

async function tryUntilConnected(
  context: Context,
  limitSeconds: number,
  secondsWaited: () => number,
  progress: Progress,
): Promise<Client> {
  for (let reason = "connecting"; ;) {
    progress.show(() =>
      printable(
        `waiting for ${context.targetName}, ${Math.floor(secondsWaited())} s of ${limitSeconds}: ${reason}`,
      ),
    );
    const leftSeconds = limitSeconds - secondsWaited();
    try {
      return await context.connect({ timeoutSeconds: wholeMs(Math.min(leftSeconds, trySeconds)) });
    } catch (error) {
      if (!mayChange(error)) throw error;
      reason = error.message;
      const leftMs = (limitSeconds - secondsWaited()) * 1000;
      if (leftMs < shortestTryMs) {
        throw new HostError(
          "timed-out",
          `no agent answered within ${limitSeconds} s. The last try: ${reason}`,
          { cause: error },
        );
      }
      await sleep(Math.min(longestPauseMs, leftMs / 2), undefined, { signal: context.signal });
    }
  }
}

/** Whether waiting helps. Names and permissions do not change while a VM boots. */
function mayChange(error: unknown): error is HostError {
  if (!(error instanceof HostError)) return false;
  switch (error.code) {
    case "not-found":
    case "not-running":
    case "busy":
    case "agent-silent":
    case "agent-restarted":
    case "connection-lost":
    case "timed-out":
    case "agent-error":
      return true;
    case "not-supported":
    case "too-large":
    case "local-file":
    case "ambiguous":
    case "permission-denied":
    case "aborted":
      return false;
  }
}

/** Rounded up: a timer of no milliseconds is none. */
function wholeMs(seconds: number): number {
  return Math.ceil(seconds * 1000) / 1000;
}
