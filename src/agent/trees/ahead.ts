/**
 * Results of jobs in the order of the jobs, of which `most` are under way at a time. Jobs must end by themselves. What
 * nobody takes any more, as after an error, is given to `dispose`.
 */
export async function* ahead<T>(
  jobs: AsyncIterable<() => Promise<T>>,
  most: number,
  dispose: (result: T) => void,
): AsyncGenerator<T, void> {
  const underWay: Promise<T>[] = [];
  try {
    for await (const job of jobs) {
      const promise = job();
      promise.catch(() => undefined); // it is looked at in its turn
      underWay.push(promise);
      if (underWay.length < most) continue;
      const first = underWay.shift();
      if (first) yield await first;
    }
    for (let first = underWay.shift(); first; first = underWay.shift()) yield await first;
  } finally {
    for (const result of await Promise.allSettled(underWay)) {
      if (result.status === "fulfilled") dispose(result.value);
    }
  }
}
