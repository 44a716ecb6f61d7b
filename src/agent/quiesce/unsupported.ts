import { CodedError } from "../../wire/errors.ts";
import type { Freezer } from "./freezer.ts";

/** For where file systems cannot be frozen or trimmed: all that is asked is refused, with `why`. */
export function unsupportedFreezer(why: string): Freezer {
  const refuse = (): Promise<never> => Promise.reject(new CodedError("quiesce", why));
  return {
    mounts: refuse,
    standingOn: refuse,
    open: refuse,
    close: () => undefined,
    sync: refuse,
    freeze: refuse,
    thaw: refuse,
    trim: refuse,
    guard: () => {
      throw new CodedError("quiesce", why);
    },
  };
}
