import { threadsNamed } from "./children.ts";

/** How many threads this process has in which samplers ask mounts and interfaces. */
export const samplerThreads = (): number => threadsNamed("lqx-sampler");
