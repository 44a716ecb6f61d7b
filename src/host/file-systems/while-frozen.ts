import { setTimeout as sleep } from "node:timers/promises";
import { codeText } from "../../wire/errors.ts";
import { HostError } from "../errors.ts";
import type { FileSystems, FreezeOptions } from "./file-systems.ts";
import type { Freeze, ThawResult } from "./results.ts";

const defaultSeconds = 60;

/** What the guest may take to thaw by itself when its time has come, until there is nothing left to try. */
const graceSeconds = 15;

const pauseMs = 500;

/** See FileSystems.whileFrozen(). */
export async function whileFrozen<T>(
  fileSystems: Pick<FileSystems, "freeze" | "thaw" | "status">,
  options: FreezeOptions,
  work: (freeze: Freeze) => Promise<T>,
): Promise<{ value: T; freeze: Freeze; thaw: ThawResult }> {
  const freeze = await fileSystems.freeze(options);
  const until = performance.now() + ((options.timeoutSeconds ?? defaultSeconds) + graceSeconds) * 1000;
  let value: T;
  try {
    value = await work(freeze);
  } catch (error) {
    try {
      await thawSurely(fileSystems, freeze, options, until);
    } catch (alsoFailed) {
      throw new AggregateError(
        [error, alsoFailed],
        `${String(error)}; and thawing failed: ${String(alsoFailed)}`,
      );
    }
    throw error;
  }
  return { value, freeze, thaw: await thawSurely(fileSystems, freeze, options, until) };
}

/** Tries again for as long as it may still be frozen. */
async function thawSurely(
  fileSystems: Pick<FileSystems, "thaw" | "status">,
  { token }: Freeze,
  { hooks }: FreezeOptions,
  until: number,
): Promise<ThawResult> {
  let lost: HostError | undefined;
  for (;;) {
    // At least one call after the guest's own time: it says what has become of it.
    const timeoutSeconds = Math.max(graceSeconds, (until - performance.now()) / 1000);
    try {
      return await fileSystems.thaw({ token, hooks, timeoutSeconds });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (lost && error.agentCode === codeText("notQuiesced") && (await wasThawedByUs(fileSystems))) {
        // The answer to an earlier attempt did not arrive.
        return { mountPoints: [], frozenMs: 0, hooks: [], warning: "" };
      }
      const mayHelp = ["connection-lost", "agent-restarted", "timed-out"].includes(error.code);
      if (!mayHelp || performance.now() >= until) throw error;
      lost = error;
    }
    await sleep(pauseMs);
  }
}

async function wasThawedByUs(fileSystems: Pick<FileSystems, "status">): Promise<boolean> {
  const { isFrozen, lastThaw, lastWasCutShort } = await fileSystems.status();
  return !isFrozen && lastThaw === "thaw" && !lastWasCutShort;
}
