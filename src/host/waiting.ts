/** What a timer can hold, 24 days; Node takes more for 1 ms. */
export const longestTimerMs = 2 ** 31 - 1;

/** A signal that fires after so many seconds, fractions included; Node's own takes whole milliseconds. */
export function secondsFromNow(seconds: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(seconds * 1000));
}

/** A promise that is settled from outside. Nobody has to wait for it: a rejection then goes unnoticed. */
export interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, "resolve" | "reject"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  promise.catch(() => undefined);
  return { promise, ...(settle as unknown as Pick<Deferred<T>, "resolve" | "reject">) };
}

/** A promise that only ever rejects: with the signal's reason. */
export function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
