import { readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const namePrefix = "limiquantix-command-";

/**
 * Folders are kept for the next commands, since to make one and remove it costs more than the start of a command.
 * When none has ended for so long, all that are empty are removed.
 */
const idleMs = 10_000;

/** Those offered to a command besides a new one: something may live on in the first. */
const mostSpares = 2;

/** Rounds of killing what is listed, for kernels before 5.14, which have no cgroup.kill; each finds what was forked meanwhile. */
const killRounds = 20;

/**
 * A cgroup of its own for each command, below the agent's: what leaves the process group, as daemons do, is found
 * there. Only cgroup v2 has it; elsewhere commands run without.
 */
export class Cgroups {
  #parent: Promise<string | undefined> | undefined;
  #counter = 0;
  /** Those that no command has now. Something that a command has left running may still be in them. */
  #spare = new Set<string>();
  /**
   * Those that commands have and that were killed. No other command may have them: Linux 6.18 kills whatever is born in
   * a cgroup that was ever killed.
   */
  #killed = new Set<string>();
  /** Those that are to be removed. */
  #worn = new Set<string>();
  #tidying: NodeJS.Timeout | undefined;

  /** Folders for the next command, to be tried in this order; none where there is no cgroup v2. */
  async offer(): Promise<string[]> {
    const parent = await (this.#parent ??= this.#prepare());
    if (parent === undefined) return [];
    const offered: string[] = [];
    for (const folder of this.#spare) {
      this.#spare.delete(folder);
      if (offered.push(folder) === mostSpares) break;
    }
    offered.push(`${parent}/${namePrefix}${process.pid}-${++this.#counter}`);
    return offered;
  }

  /** The command has taken `folder`, or none of those that it was offered. */
  take(offered: readonly string[], folder: string): void {
    // The last was not there before; if it was not taken, it is not there now.
    for (const other of offered.slice(0, -1)) if (other !== folder) this.#spare.add(other);
  }

  /** The command has ended. */
  giveBack(folder: string): void {
    if (this.#killed.delete(folder)) {
      this.#worn.add(folder);
      void removeEmpty(this.#worn);
    } else {
      this.#spare.add(folder);
    }
    if (this.#tidying) this.#tidying.refresh();
    else this.#tidying = setTimeout(() => void this.#tidy(), idleMs).unref();
  }

  /** Removes what is empty. */
  async close(): Promise<void> {
    clearTimeout(this.#tidying);
    await this.#tidy();
  }

  /** Ends all that runs in it, for a command that has it. */
  async kill(folder: string): Promise<void> {
    this.#killed.add(folder);
    try {
      await writeFile(path.join(folder, "cgroup.kill"), "1");
    } catch {
      await killListed(folder);
    }
  }

  /** Whether nothing runs in it any more; what has ended and is not reaped does not count. */
  async isEmpty(folder: string): Promise<boolean> {
    return (await members(folder)).length === 0;
  }

  /** Removes those in which nothing lives on. */
  async #tidy(): Promise<void> {
    this.#tidying = undefined;
    await removeEmpty(this.#spare);
    await removeEmpty(this.#worn);
  }

  async #prepare(): Promise<string | undefined> {
    const parent = await ownFolder().catch(() => undefined);
    if (parent === undefined) return undefined;
    // Of an agent that was killed.
    const names = await readdir(parent).catch(() => []);
    for (const name of names) {
      if (name.startsWith(namePrefix)) this.#worn.add(path.join(parent, name));
    }
    await this.#tidy();
    return parent;
  }
}

/** Leaves those in which something lives on. */
async function removeEmpty(folders: Set<string>): Promise<void> {
  for (const folder of [...folders]) {
    if (!folders.delete(folder)) continue; // somebody else's meanwhile
    await rmdir(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "EBUSY") folders.add(folder);
    });
  }
}

/** The agent's own cgroup v2 folder: cgroups(7). */
async function ownFolder(): Promise<string | undefined> {
  const [mounts, membership] = await Promise.all([
    readFile("/proc/self/mountinfo", "utf8"),
    readFile("/proc/self/cgroup", "utf8"),
  ]);
  const mountPoint = /^\d+ \d+ \S+ \/ (\S+) .* - cgroup2 /m.exec(mounts)?.[1];
  const own = /^0::(\/.*)$/m.exec(membership)?.[1];
  return mountPoint === undefined || own === undefined ? undefined : path.join(mountPoint, own);
}

async function members(folder: string): Promise<string[]> {
  const text = await readFile(path.join(folder, "cgroup.procs"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "" && line !== "0");
}

async function killListed(folder: string): Promise<void> {
  for (let round = 0; round < killRounds; round++) {
    const pids = await members(folder);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(5);
  }
}
