import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, constants as fsConstants, openSync } from "node:fs";
import { constants, userInfo } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { addon } from "../../src/native/addon.ts";
import type { AgentMessage, Envelope } from "../../src/wire/envelope.ts";
import type { FakeGuest } from "./fake-agent.ts";

type Send = (envelope: Envelope) => void;
type Start = NonNullable<Envelope["execStart"]>;

const chunkBytes = 64 * 1024;
const stdinWindowBytes = 256 * 1024;
const keptBytes = 64 * 1024;

/**
 * The commands of a FakeAgent, which run on this machine: real processes with real pipes and terminals behind the
 * protocol's streams. One user, whoever runs the tests.
 */
export class LocalGuest implements FakeGuest {
  /** Oldest first; those that have ended too, until they were attached. */
  readonly commands = new Map<string, LocalCommand>();
  #started = 0;

  /** Takes a request or a part of a stream; false when it is none of a command. */
  receive(message: AgentMessage, send: Send): boolean {
    const { messageId, execStart, execAttach, execSignal, execResize, streamData, streamCredit, cancel } =
      message;
    const of = (id: string | null | undefined): LocalCommand | undefined => this.commands.get(id ?? "");
    const gone = "QXGA-3011 there is no such command, or it has ended";
    if (message.execute) {
      void execute(message.execute).then((executeResponse) => {
        send({ messageId, executeResponse });
      });
    } else if (execStart) {
      void this.#start(messageId, execStart, send);
    } else if (execAttach) {
      const command = of(execAttach.execId);
      if (command === undefined || command.isAttached) {
        send({ messageId, execAttachResponse: { success: false, error: gone } });
      } else {
        send({ messageId, execAttachResponse: { success: true, ...command.facts } });
        command.attach(send, Number(execAttach.windowBytes ?? 0));
      }
    } else if (message.execList) {
      const commands = [...this.commands.values()].map((command) => command.info);
      send({ messageId, execListResponse: { success: true, commands } });
    } else if (execSignal) {
      const success = of(execSignal.execId)?.signal(execSignal.signal ?? 0) ?? false;
      send({ messageId, execSignalResponse: { success, ...(!success && { error: gone }) } });
    } else if (execResize) {
      of(execResize.execId)?.resize(execResize.terminal ?? {});
      send({ messageId, execResizeResponse: { success: true } });
    } else if (cancel) {
      const command = [...this.commands.values()].find(({ startedBy }) => startedBy === cancel.messageId);
      command?.signal(constants.signals.SIGKILL);
      send({ messageId, cancelResponse: { success: command !== undefined } });
    } else if (streamData) {
      of(streamData.streamId)?.input(streamData.data ?? new Uint8Array(), streamData.end ?? false);
    } else if (streamCredit) {
      of(streamCredit.streamId)?.grant(streamCredit.channel ?? 0, Number(streamCredit.bytes ?? 0));
    } else {
      return false;
    }
    return true;
  }

  /** The host of `send` has gone. */
  leave(send: Send): void {
    for (const command of this.commands.values()) if (command.isOf(send)) command.leave();
  }

  /** Ends all that runs. */
  close(): void {
    for (const command of this.commands.values()) command.signal(constants.signals.SIGKILL);
  }

  async #start(messageId: string, start: Start, send: Send): Promise<void> {
    const execId = `exec-${++this.#started}`;
    const command = new LocalCommand(execId, messageId, start);
    const error = await command.started;
    if (error !== undefined) {
      send({ messageId, execStartResponse: { success: false, error } });
      return;
    }
    this.commands.set(execId, command);
    command.onOver = () => this.commands.delete(execId);
    send({
      messageId,
      execStartResponse: {
        success: true,
        execId,
        pid: command.pid,
        stdinWindowBytes: command.facts.stdinWindowBytes,
      },
    });
    command.attach(send, Number(start.windowBytes ?? 0));
  }
}

interface Channel {
  chunks: Buffer[];
  bytes: number;
  credit: number;
  source: Readable;
  state: "open" | "ended" | "end-sent";
}

class LocalCommand {
  readonly started: Promise<string | undefined>;
  onOver: () => void = () => undefined;
  /** Of output. */
  sentBytes = 0;
  readonly #startedAt = Date.now();
  readonly #child: ChildProcess;
  readonly #stdin: Writable | null;
  readonly #channels = new Map<number, Channel>();
  readonly #terminalPath: string | undefined;
  #send: Send | undefined;
  #droppedBytes = 0;
  #timedOut = false;
  #end: { code: number; signal: number } | undefined;

  constructor(
    readonly execId: string,
    readonly startedBy: string,
    readonly start: Start,
  ) {
    const [file = "", ...args] = commandLine(start);
    const options = {
      env: { ...process.env, ...start.environment },
      cwd: start.workingDirectory || undefined,
      detached: true, // a process group of its own
    };
    if (start.terminal) {
      const { fd, path } = addon.openPty();
      const end = openSync(path, fsConstants.O_RDWR | fsConstants.O_NOCTTY);
      this.#terminalPath = path;
      this.resize(start.terminal);
      this.#child = spawn("setsid", ["--ctty", file, ...args], {
        ...options,
        detached: false,
        stdio: [end, end, end],
      });
      closeSync(end);
      const master = new ReadStream(fd) as unknown as Duplex;
      master.on("error", () => master.destroy()); // EIO: nobody has the other end any more
      this.#stdin = master;
      this.#open(1, master);
    } else {
      const stdin = start.stdin ? "pipe" : "ignore";
      const child = spawn(file, args, { ...options, stdio: [stdin, "pipe", "pipe"] });
      this.#child = child;
      this.#stdin = child.stdin;
      this.#stdin?.on("error", () => undefined);
      if (child.stdout) this.#open(1, child.stdout);
      if (child.stderr) this.#open(2, child.stderr);
    }
    const child = this.#child;
    this.started = new Promise((resolve) => {
      child.once("spawn", () => {
        resolve(undefined);
      });
      child.once("error", (error) => {
        resolve(startError(file, error));
      });
    });
    child.once("exit", (code, name) => {
      const signal = name === null ? 0 : constants.signals[name];
      this.#end = { code: this.#timedOut ? -1 : (code ?? 128 + signal), signal };
      this.#pump();
    });
    if (start.timeoutSeconds) {
      setTimeout(() => {
        this.#timedOut = true;
        this.signal(constants.signals.SIGKILL);
      }, start.timeoutSeconds * 1000).unref();
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAttached(): boolean {
    return this.#send !== undefined;
  }

  get facts() {
    return {
      pid: this.pid,
      stdinWindowBytes: this.#stdin ? stdinWindowBytes : 0,
      droppedBytes: this.#droppedBytes,
      terminal: this.#terminalPath !== undefined,
    };
  }

  get info() {
    const { execId, pid, start } = this;
    return {
      execId,
      pid,
      command: start.command ?? "",
      args: start.args ?? [],
      user: userInfo().username,
      startedAt: { seconds: Math.floor(this.#startedAt / 1000), nanos: 0 },
      running: this.#end === undefined,
      exitCode: this.#end?.code ?? 0,
      attached: this.isAttached,
      terminal: this.#terminalPath !== undefined,
      onDisconnect: start.onDisconnect ?? 0,
    };
  }

  isOf(send: Send): boolean {
    return this.#send === send;
  }

  attach(send: Send, windowBytes: number): void {
    this.#send = send;
    for (const channel of this.#channels.values()) channel.credit = windowBytes;
    this.#pump();
  }

  leave(): void {
    this.#send = undefined;
    if (this.start.onDisconnect) this.#pump();
    else this.signal(constants.signals.SIGKILL);
  }

  grant(channel: number, bytes: number): void {
    const granted = this.#channels.get(channel);
    if (granted) granted.credit += bytes;
    this.#pump();
  }

  input(data: Uint8Array, end: boolean): void {
    if (data.length > 0) {
      this.#stdin?.write(data, () => {
        this.#send?.({
          messageId: "",
          streamCredit: { streamId: this.execId, channel: 0, bytes: data.length },
        });
      });
    }
    if (end && this.#terminalPath === undefined) this.#stdin?.end();
    else if (end) this.#stdin?.write("\u0004");
  }

  /** False when it has ended. */
  signal(signal: number): boolean {
    if (this.#end !== undefined) return false;
    try {
      return process.kill(-this.pid, signal);
    } catch {
      return false;
    }
  }

  resize({ columns, rows }: { columns?: number | null; rows?: number | null }): void {
    const size = ["cols", String(columns ?? 80), "rows", String(rows ?? 24)];
    if (this.#terminalPath !== undefined) spawnSync("stty", ["-F", this.#terminalPath, ...size]);
  }

  #open(number: number, source: Readable): void {
    const channel: Channel = { chunks: [], bytes: 0, credit: 0, source, state: "open" };
    this.#channels.set(number, channel);
    source.on("data", (chunk: Buffer) => {
      channel.chunks.push(chunk);
      channel.bytes += chunk.length;
      source.pause();
      this.#pump();
    });
    source.once("close", () => {
      channel.state = "ended";
      this.#pump();
    });
  }

  #pump(): void {
    for (const [number, channel] of this.#channels) {
      while (this.#send && channel.credit > 0 && channel.chunks.length > 0) {
        const data = this.#take(channel, Math.min(channel.credit, chunkBytes));
        channel.credit -= data.length;
        this.sentBytes += data.length;
        this.#send({ messageId: "", streamData: { streamId: this.execId, channel: number, data } });
      }
      // Nobody is attached: only the newest output is kept.
      while (!this.#send && channel.bytes > keptBytes)
        this.#droppedBytes += this.#take(channel, chunkBytes).length;
      if (channel.chunks.length === 0 || !this.#send) channel.source.resume();
      if (this.#send && channel.chunks.length === 0 && channel.state === "ended") {
        channel.state = "end-sent";
        this.#send({ messageId: "", streamData: { streamId: this.execId, channel: number, end: true } });
      }
    }
    this.#tellEnd();
  }

  #take(channel: Channel, limit: number): Buffer {
    const chunk = channel.chunks.shift() ?? Buffer.alloc(0);
    if (chunk.length > limit) channel.chunks.unshift(chunk.subarray(limit));
    const taken = chunk.subarray(0, limit);
    channel.bytes -= taken.length;
    return taken;
  }

  #tellEnd(): void {
    if (!this.#send || !this.#end) return;
    if ([...this.#channels.values()].some(({ state }) => state !== "end-sent")) return;
    const { code, signal } = this.#end;
    this.#send({
      messageId: "",
      execExited: {
        execId: this.execId,
        exitCode: code,
        signal,
        timedOut: this.#timedOut,
        durationMs: Date.now() - this.#startedAt,
      },
    });
    this.onOver();
  }
}

function commandLine({ command, args, shell, login }: Start): string[] {
  if (login) return command ? ["/bin/sh", "-lc", command] : ["/bin/sh", "-l"];
  return shell ? ["/bin/sh", "-c", command ?? ""] : [command ?? "", ...(args ?? [])];
}

function startError(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return `QXGA-3001 command not found: ${file}`;
  if (code === "EACCES") return `QXGA-3002 not allowed to run ${file}`;
  return `QXGA-3009 ${message}`;
}

async function execute({
  command,
  args,
  environment,
  timeoutSeconds,
}: NonNullable<Envelope["execute"]>): Promise<NonNullable<Envelope["executeResponse"]>> {
  const [file, ...rest] = args?.length ? [command ?? "", ...args] : ["/bin/sh", "-c", command ?? ""];
  const child = spawn(file, rest, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let timedOut = false;
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  if (timeoutSeconds) {
    setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutSeconds * 1000).unref();
  }
  return new Promise((resolve) => {
    child.once("error", (error) => {
      resolve({ exitCode: -1, error: startError(file, error) });
    });
    child.once("close", (code) => {
      resolve({ exitCode: timedOut ? -1 : (code ?? 137), stdout, stderr, timedOut, durationMs: 1 });
    });
  });
}
