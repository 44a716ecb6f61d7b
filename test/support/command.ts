import { addon } from "../../src/native/addon.ts";
import { type RawPort, portEvent } from "../../src/native/port.ts";
import type { RawProcess, SpawnOptions } from "../../src/native/process.ts";
import { until } from "./until.ts";

export interface ExitStatus {
  code: number;
  signal: number;
}

/** Where a command's output goes: all that has come, and whether its end has. */
class Output {
  ended = false;
  readonly port: RawPort;
  readonly #chunks: Buffer[] = [];

  constructor(fd: number) {
    const buffer = Buffer.alloc(64 * 1024);
    this.port = new addon.Port({ fd }, () => {
      try {
        let count: number;
        while ((count = this.port.read(buffer)) > 0)
          this.#chunks.push(Buffer.from(buffer.subarray(0, count)));
        this.ended = count < 0;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
        this.ended = true; // of a terminal
      }
      if (this.ended) this.port.close();
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }

  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    return await until(`output that matches ${String(pattern)}`, () => pattern.exec(this.text) ?? false);
  }
}

/** What a command reads. Takes any amount. */
class Input {
  readonly port: RawPort;
  /** Whether an edge has told that nobody reads any more. */
  broken = false;
  #waiting: Buffer[] = [];
  #ending = false;

  constructor(fd: number) {
    this.port = new addon.Port({ fd }, (mask) => {
      if (mask & portEvent.error) this.broken = true;
      else if (mask & portEvent.writable) this.#flush();
    });
  }

  write(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#flush();
  }

  end(): void {
    this.#ending = true;
    this.#flush();
  }

  #flush(): void {
    const all = Buffer.concat(this.#waiting);
    const rest = all.length > 0 ? all.subarray(this.port.write([all])) : all;
    this.#waiting = [rest];
    if (rest.length === 0 && this.#ending) this.port.close();
  }
}

/** A command with all its pipes read. */
export class Command implements Disposable {
  readonly process: RawProcess;
  readonly input: Input | undefined;
  readonly output: Output | undefined;
  readonly errors: Output | undefined;
  readonly terminal: Output | undefined;
  exited: ExitStatus | undefined;
  exits = 0;

  private constructor(process: RawProcess) {
    this.process = process;
    if (process.stdin >= 0) this.input = new Input(process.stdin);
    if (process.stdout >= 0) this.output = new Output(process.stdout);
    if (process.stderr >= 0) this.errors = new Output(process.stderr);
    if (process.pty >= 0) this.terminal = new Output(process.pty);
  }

  static async start(file: string, args: string[], options: Partial<SpawnOptions> = {}): Promise<Command> {
    const started: { command?: Command } = {};
    const spawning = addon.spawn(
      {
        files: [file],
        args: [file, ...args],
        environment: [],
        workingDirectory: "/",
        stdout: "pipe",
        ...options,
      },
      (code, signal) => {
        const { command } = started;
        if (command === undefined) throw new Error("ended before it was ready");
        command.exited = { code, signal };
        command.exits++;
      },
    );
    return (started.command = new Command(await spawning.ready));
  }

  static async shell(script: string, options: Partial<SpawnOptions> = {}): Promise<Command> {
    const environment = options.environment ?? ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"];
    return await Command.start("/bin/sh", ["-c", script], { ...options, environment });
  }

  async exit(): Promise<ExitStatus> {
    const outputs = [this.output, this.errors, this.terminal];
    return await until(
      "the command's end",
      () => outputs.every((output) => output?.ended ?? true) && this.exited,
    );
  }

  /** Kills what is left of it. */
  [Symbol.dispose](): void {
    this.process.signalGroup(9);
    this.process.close();
    for (const end of [this.input, this.output, this.errors, this.terminal]) end?.port.close();
  }
}

/** What a script writes, trimmed, when it ends well. */
export async function outputOf(script: string, options: Partial<SpawnOptions> = {}): Promise<string> {
  using command = await Command.shell(script, options);
  const { code, signal } = await command.exit();
  if (code !== 0 || signal !== 0) throw new Error(`exit code ${code}, signal ${signal}: ${script}`);
  return command.output?.text.trim() ?? "";
}
