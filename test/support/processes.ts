import { readFileSync, readdirSync } from "node:fs";

interface ProcessFacts {
  pid: number;
  parent: number;
  state: string;
  commandLine: string;
}

function allProcesses(): ProcessFacts[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // pid (name, which may hold blanks and brackets) state ppid
      const [, state = "", parent = ""] =
        /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, "latin1")) ?? [];
      const commandLine = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      return [{ pid: Number(name), parent: Number(parent), state, commandLine }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** Processes with this text in their command line, but for our own. */
export function processesWith(text: string): number[] {
  return allProcesses()
    .filter(({ pid, commandLine }) => commandLine.includes(text) && pid !== process.pid)
    .map(({ pid }) => pid);
}

/** Children of `parent` that have ended and were not waited for. */
export function zombiesOf(parent: number): number[] {
  return allProcesses()
    .filter((facts) => facts.parent === parent && facts.state === "Z")
    .map(({ pid }) => pid);
}
