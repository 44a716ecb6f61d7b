import type { Sample, Sampler } from "../../src/native/sampler.ts";

/** A sampler of a guest in which nothing happens. */
export function quietSampler(): Sampler {
  const sample = {
    cpu: { usagePercent: 0, cores: [] },
    memory: { totalBytes: 1, usedBytes: 0, availableBytes: 1, swapTotalBytes: 0, swapUsedBytes: 0 },
    load: [0, 0, 0],
    uptimeSeconds: 1,
    processCount: 1,
    filesystems: [],
    unreachableMounts: [],
    interfaces: [],
    diskIo: [],
    pressure: {},
  } as unknown as Sample;
  const nothing = (): void => undefined;
  return {
    sample: () => Promise.resolve(sample),
    watch: nothing,
    unwatch: nothing,
    close: nothing,
  } as unknown as Sampler;
}
