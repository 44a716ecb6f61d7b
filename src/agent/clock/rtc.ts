import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isErrno } from "../files/file-error.ts";
import type { Reading } from "./system.ts";

/** From one look at a clock of whole seconds to the next. */
const lookMs = 5;

/** A clock that goes has a new second before. */
const edgeMs = 1_500;

/**
 * How wrong it is where nobody has set it to a part of a second: QEMU begins a second of it when the machine is made, and
 * many a PC when its battery was put in.
 */
const phaseUs = 1e6;

/** What it is read and set with. */
export interface RtcAccess {
  /** Before /sys and /etc; "" but for tests. */
  root: string;
  /** Microseconds since 1970. */
  now(): number;
  set(device: string, seconds: number): Promise<void>;
}

/**
 * The hardware clock. It has whole seconds, and is compared at the moment in which a new one begins. QEMU's goes
 * with the host's clock, also when the guest was stopped meanwhile, or is a restored snapshot.
 */
export class Rtc {
  readonly #access: RtcAccess;

  constructor(access: RtcAccess) {
    this.#access = access;
  }

  /** Takes up to a second. Undefined where there is none; rejects when it cannot be read or stands still. */
  async read(signal: AbortSignal): Promise<Reading | undefined> {
    const name = await this.#find();
    if (name === undefined) return undefined;
    const toUtc = (await this.#isLocal()) ? fromLocal : (seconds: number): number => seconds;
    const until = performance.now() + edgeMs;
    let last = await this.#look(name);
    while (performance.now() < until) {
      await sleep(lookMs, undefined, { signal });
      const look = await this.#look(name);
      if (look.seconds === last.seconds + 1) {
        // The second began after the last look had begun, and before this one ended.
        const [early, late] = [last.beganAt, look.endedAt];
        const offsetUs = toUtc(look.seconds) * 1e6 - (early + late) / 2;
        return { offsetUs, uncertaintyUs: phaseUs + (late - early) / 2 };
      }
      last = look;
    }
    throw new Error(`the hardware clock ${name} stands still`);
  }

  /** Sets it by the system's clock when it is off by more; true when it was. */
  async correct(mostSeconds: number): Promise<boolean> {
    const name = await this.#find();
    if (name === undefined) return false;
    const shift = (await this.#isLocal()) ? toLocal : (seconds: number): number => seconds;
    const { seconds } = await this.#look(name);
    if (Math.abs(seconds - shift(this.#access.now() / 1e6)) <= mostSeconds) return false;
    // A PC's clock begins the next second half a second after it was set.
    await sleep(((1.5e6 - (this.#access.now() % 1e6)) % 1e6) / 1000);
    await this.#access.set(`/dev/${name}`, Math.floor(shift(this.#access.now() / 1e6)));
    return true;
  }

  get #folder(): string {
    return `${this.#access.root}/sys/class/rtc`;
  }

  /** The one that the kernel has its time from at start, or the first. */
  async #find(): Promise<string | undefined> {
    const names = (await readdir(this.#folder).catch(emptyUnlessThere)).sort();
    for (const name of names) {
      const isIt = await readFile(path.join(this.#folder, name, "hctosys"), "utf8").catch(() => "0");
      if (isIt.trim() === "1") return name;
    }
    return names[0];
  }

  async #look(name: string): Promise<{ seconds: number; beganAt: number; endedAt: number }> {
    const beganAt = this.#access.now();
    const text = await readFile(path.join(this.#folder, name, "since_epoch"), "utf8");
    return { seconds: Number(text), beganAt, endedAt: this.#access.now() };
  }

  /** hwclock(8): the third line of adjtime is UTC or LOCAL. */
  async #isLocal(): Promise<boolean> {
    const text = await readFile(`${this.#access.root}/etc/adjtime`, "utf8").catch(() => "");
    return text.split("\n")[2]?.trim() === "LOCAL";
  }
}

/** Seconds since 1970 of what a clock on the wall shows, given as if it were in UTC. */
function fromLocal(seconds: number): number {
  const shown = new Date(seconds * 1000);
  const [year, month, day] = [shown.getUTCFullYear(), shown.getUTCMonth(), shown.getUTCDate()];
  return (
    new Date(year, month, day, shown.getUTCHours(), shown.getUTCMinutes(), shown.getUTCSeconds()).getTime() /
    1000
  );
}

function toLocal(seconds: number): number {
  return seconds - new Date(seconds * 1000).getTimezoneOffset() * 60;
}

function emptyUnlessThere(error: unknown): string[] {
  if (isErrno(error, "ENOENT")) return [];
  throw error;
}
