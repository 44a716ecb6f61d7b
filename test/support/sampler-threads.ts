import { readFileSync, readdirSync } from "node:fs";

/** How many threads this process has in which samplers ask mounts and interfaces. */
export function samplerThreads(): number {
  return readdirSync("/proc/self/task").filter((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/comm`, "utf8").trim() === "lqx-sampler";
    } catch {
      return false; // it has just ended
    }
  }).length;
}
