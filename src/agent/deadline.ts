/** Settles as `promise` does, or rejects after so long, with `late`; whatever `promise` waits for goes on. */
export async function withDeadline<T>(
  promise: Promise<T>,
  deadlineMs: number,
  late = (): Error => new Error(`no answer within ${deadlineMs / 1000} s`),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The longest that setTimeout takes; what is longer comes at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls `action` after so long, however long that is; gives the function that takes it back. */
export function after(ms: number, action: () => void): () => void {
  let leftMs = ms;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const partMs = Math.min(leftMs, longestTimerMs);
    leftMs -= partMs;
    timer = setTimeout(leftMs > 0 ? wait : action, partMs);
  };
  wait();
  return () => {
    clearTimeout(timer);
  };
}
