// What the operating system says of the machine, taken natively. All numbers are plain doubles: byte counts are
// exact up to 2^53.
import { addon } from "./addon.ts";

/**
 * Share of CPU time, in percent (0 to 100), since the previous sample; the first counts from the sampler's creation.
 * A sample that comes within 100 ms of the one before repeats its percentages: the kernel counts in ticks of 10 ms.
 */
export interface CpuUsage {
  /** Over all CPUs. Busy is everything but idle and waiting for I/O. */
  usagePercent: number;
  /** Those online, in the kernel's order. One that has just been plugged in starts with 0. */
  cores: { index: number; usagePercent: number }[];
}

/** Bytes. Used is total minus available: what `free` calls so. */
export interface MemoryUsage {
  totalBytes: number;
  usedBytes: number;
  availableBytes: number;
  swapTotalBytes: number;
  swapUsedBytes: number;
}

/** How full one real, local file system is. Each is told once, whatever is mounted twice or bound elsewhere. */
export interface FilesystemUsage {
  mountPoint: string;
  /** The type, e.g. `ext4`. */
  filesystem: string;
  /** What is mounted, e.g. `/dev/vda1`. */
  device: string;
  totalBytes: number;
  /** Total minus what is free to root. */
  usedBytes: number;
  /** Free to a user who is not root; `df` calls it Avail. */
  availableBytes: number;
  /** 0 to 100: used of used + available, as `df` has it, but not rounded. */
  usagePercent: number;
}

/** A mount that should be in `filesystems` but did not answer before the deadline, or answered with an error. */
export interface UnreachableMount {
  mountPoint: string;
  filesystem: string;
  device: string;
  /** Seconds since it stopped answering, as far as the sampler knows. */
  unresponsiveSeconds: number;
  /** The error that it answers with, e.g. `ENOTCONN`; absent when it does not answer. */
  error?: string;
}

/** One network interface, loopback included. Counters are since the interface was made. */
export interface NetworkInterface {
  index: number;
  name: string;
  /** The kernel's link kind, e.g. `bridge`, `veth`, `vlan`; empty for a real device and for loopback. */
  kind: string;
  loopback: boolean;
  state: "up" | "down" | "unknown";
  /** Bytes. */
  mtu: number;
  /** `aa:bb:cc:dd:ee:ff`, or empty where there is none. */
  macAddress: string;
  /** CIDR form: `192.0.2.1/24`. */
  ipv4Addresses: string[];
  /** CIDR form, link-local addresses included. */
  ipv6Addresses: string[];
  rxBytes: number;
  txBytes: number;
  rxPackets: number;
  txPackets: number;
  rxErrors: number;
  txErrors: number;
  rxDropped: number;
  txDropped: number;
}

/** What one whole disk (no partition, loop or memory device) has done since it appeared. */
export interface DiskIo {
  /** The kernel's name, e.g. `vda`. */
  device: string;
  readBytes: number;
  writeBytes: number;
  /** Requests finished. */
  reads: number;
  writes: number;
  /** Percent of the time since the previous sample, 0 to 100, with a request in flight. */
  busyPercent: number;
}

/**
 * How long work stood still for want of a resource: percent of the last 10, 60 and 300 seconds, and microseconds
 * since the start of the machine. `some`: at least one task; `full`: all of them, which old kernels do not tell for
 * the CPU. See Documentation/accounting/psi.rst.
 */
export interface PressureStall {
  someAvg10: number;
  someAvg60: number;
  someAvg300: number;
  someTotalUs: number;
  fullAvg10?: number;
  fullAvg60?: number;
  fullAvg300?: number;
  fullTotalUs?: number;
}

/** Absent where the kernel has no pressure information, or was started with `psi=0`. */
export interface Pressure {
  cpu?: PressureStall;
  memory?: PressureStall;
  io?: PressureStall;
}

/** One moment of the machine. A part whose source could not be read is absent, or empty if it is a list. */
export interface Sample {
  cpu?: CpuUsage;
  memory?: MemoryUsage;
  /** Load averages over 1, 5 and 15 minutes. */
  load?: [number, number, number];
  /** Seconds since the machine started, with two decimals. */
  uptimeSeconds?: number;
  /** Processes, not threads. */
  processCount?: number;
  filesystems: FilesystemUsage[];
  unreachableMounts: UnreachableMount[];
  /** Absent too when the kernel's network configuration was locked until the deadline. */
  interfaces?: NetworkInterface[];
  diskIo?: DiskIo[];
  pressure: Pressure;
}

export interface SamplerOptions {
  /**
   * File system types, as the kernel names them (`fuse.mergerfs`, `nfs4`), to tell the usage of besides the real,
   * local ones. A mount that hangs is no danger to the sampler.
   */
  includeFilesystems?: readonly string[];
}

/** The addon's class. Everything but `sample` answers at once. */
export interface RawSampler {
  /** One at a time: EBUSY while another is under way. `deadlineMs` is 1 to 60,000. */
  sample(deadlineMs: number): Promise<Sample>;
  watch(onChange: () => void): void;
  unwatch(): void;
  close(): void;
}

export type RawSamplerConstructor = new (options: SamplerOptions) => RawSampler;

/** How long a mount may take to answer before it is told as unreachable. */
export const defaultDeadlineMs = 1000;

/**
 * Takes samples of the machine. The files it reads stay open; what can block, it asks on a thread of its own, so that
 * a dead mount costs one deadline once and is left alone until it answers.
 *
 * Errors have the shape of Node's own: EBADF after `close`, ECANCELED for a sample that `close` cut short, and that
 * of the first source when there is not one that can be read.
 */
export class Sampler {
  readonly #raw: RawSampler;
  #running: Promise<Sample> | undefined;

  constructor(options: SamplerOptions = {}) {
    this.#raw = new addon.Sampler(options);
  }

  /** Takes a sample; one asked for while another is under way is the same one. Settles within about the deadline. */
  sample(deadlineMs = defaultDeadlineMs): Promise<Sample> {
    return (this.#running ??= this.#take(deadlineMs));
  }

  /**
   * Calls back after each change of a link (up or down, running, MTU, name, MAC address) or of an address, until
   * `unwatch`. Repetitions of what is known do not count, from the first sample on. One `ip` command can make several
   * changes. Does not keep the process alive. A second watch replaces the first.
   */
  watch(onChange: () => void): void {
    this.#raw.watch(onChange);
  }

  /** Idempotent. */
  unwatch(): void {
    this.#raw.unwatch();
  }

  /** Gives back the descriptors and the thread. Idempotent. */
  close(): void {
    this.#raw.close();
  }

  async #take(deadlineMs: number): Promise<Sample> {
    try {
      return await this.#raw.sample(deadlineMs);
    } finally {
      this.#running = undefined;
    }
  }
}
