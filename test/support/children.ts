import { readFileSync, readdirSync } from "node:fs";

export interface ProcessState {
  pid: number;
  /** The kernel's letter: R, S, T (stopped), Z (zombie) and others. */
  state: string;
  parent: number;
  group: number;
  uid: number;
}

/** All processes of the machine. */
export function processes(): ProcessState[] {
  const found: ProcessState[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state = "", parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const uid = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1];
      found.push({
        pid: Number(name),
        state,
        parent: Number(parent),
        group: Number(group),
        uid: Number(uid),
      });
    } catch {
      // it has just ended
    }
  }
  return found;
}

// tsx has one that compiles.
const earlier = new Set(processes().map(({ pid }) => pid));

/** Children of this process, zombies included, that were not there when this module was loaded. */
export function children(): ProcessState[] {
  return processes().filter(({ pid, parent }) => parent === process.pid && !earlier.has(pid));
}

/** How many threads of this process have that name. */
export function threadsNamed(name: string): number {
  return readdirSync("/proc/self/task").filter((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/comm`, "utf8").trim() === name;
    } catch {
      return false; // it has just ended
    }
  }).length;
}
