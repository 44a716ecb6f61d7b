import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "./until.ts";

/** What the agent is built to; npm test builds it before any suite. */
const program = path.resolve("dist/bin/agent.cjs");

/** Nothing that a test asks of an agent may freeze, restart or set the clock of this machine. */
const harmless = ["setpriv", "--bounding-set=-sys_admin,-sys_boot,-sys_time"];

/** The real daemon as a process of its own, in a folder of its own. */
export class Daemon {
  readonly folder = mkdtempSync(path.join(tmpdir(), "agent-"));
  readonly socket = path.join(this.folder, "agent.sock");
  /** What it remembers outlives it, as on a real system, until the folder is removed. */
  readonly stateDir = path.join(this.folder, "state");
  #child: ChildProcess | undefined;
  #log = "";

  /** Starts it; `config` is YAML. Serves `this.socket` unless `port` says otherwise. */
  start({ config = "", port = `unix-listen:${this.socket}`, args = [] as string[] } = {}): this {
    const file = path.join(this.folder, "agent.yaml");
    writeFileSync(file, `state_dir: ${this.stateDir}\n${config}`);
    const wrapper = process.getuid?.() === 0 ? harmless : [];
    const agent = [process.execPath, program, "--config", file, "--port", port, ...args];
    const [command = process.execPath, ...rest] = [...wrapper, ...agent];
    const child = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr.on("data", (data: Buffer) => (this.#log += data.toString()));
    this.#child = child;
    return this;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  /** Waits for a log line with this text. */
  async logged(text: string, deadlineMs = 10_000): Promise<void> {
    await until(`the log line "${text}" in:\n${this.#log}`, () => this.#log.includes(text), deadlineMs);
  }

  openDescriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  residentKiB(): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1]);
  }

  /** Sends the signal and waits for the end; gives the exit code and how long it took. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<{ code: number | null; ms: number }> {
    const child = this.#child;
    if (child === undefined) return { code: null, ms: 0 };
    const started = performance.now();
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    }
    return { code: child.exitCode, ms: performance.now() - started };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
