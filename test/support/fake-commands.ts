import type { AgentMessage, Envelope } from "../../src/wire/envelope.ts";
import { toNumber } from "../../src/wire/envelope.ts";
import type { FakeGuest } from "./fake-agent.ts";
import { until } from "./until.ts";

type Send = (envelope: Envelope) => void;
type Payload = NonNullable<AgentMessage["payload"]>;
type Start = NonNullable<AgentMessage["execStart"]>;
type Exited = NonNullable<Envelope["execExited"]>;

export interface FakeCommandsOptions {
  /** Credit for the input of each command; 64 KiB unless given. */
  stdinWindowBytes?: number;
  /** What the command does, called when its start has been answered. */
  run?(command: FakeCommand): void;
  /** The answer to a request, or "none" for silence; undefined for the usual one. */
  answer?(message: AgentMessage): Envelope | "none" | undefined;
}

/** Commands of a FakeAgent that are in memory only: a test decides what they print and sees what they are told. */
export class FakeCommands implements FakeGuest {
  readonly commands: FakeCommand[] = [];
  /** Every message that was none of a FakeAgent's own, in order. */
  readonly received: AgentMessage[] = [];
  readonly #options: FakeCommandsOptions;

  constructor(options: FakeCommandsOptions = {}) {
    this.#options = options;
  }

  /** The first command, when it has been started. */
  started(index = 0): Promise<FakeCommand> {
    return until(`command ${index} is started`, () => this.commands[index]);
  }

  /** The first message with this payload, when it has come. */
  async got<Name extends Payload>(name: Name): Promise<NonNullable<AgentMessage[Name]>> {
    const found = await until(`a message with ${name}`, () =>
      this.received.find(({ payload }) => payload === name),
    );
    return found[name] as NonNullable<AgentMessage[Name]>;
  }

  receive(message: AgentMessage, send: Send): boolean {
    const { messageId, execStart, execAttach, execSignal, execResize, cancel, streamData, streamCredit } =
      message;
    if (message.hello || message.ping || message.getCapabilities) return false;
    this.received.push(message);
    const answer = this.#options.answer?.(message);
    if (answer === "none") return true;
    const of = (id: string | null | undefined): FakeCommand | undefined =>
      this.commands.find(({ execId }) => execId === id);
    if (answer) {
      send({ messageId, ...answer });
    } else if (execStart) {
      this.#start(messageId, execStart, send);
    } else if (execAttach) {
      const command = of(execAttach.execId);
      if (command === undefined || command.isAttached) {
        const error = "QXGA-3011 there is no such command";
        send({ messageId, execAttachResponse: { success: false, error } });
      } else {
        const { pid, stdinWindowBytes, droppedBytes, terminal } = command;
        send({
          messageId,
          execAttachResponse: { success: true, pid, stdinWindowBytes, droppedBytes, terminal },
        });
        command.attach(send, toNumber(execAttach.windowBytes ?? 0));
      }
    } else if (execSignal) {
      of(execSignal.execId)?.signals.push(execSignal.signal ?? 0);
      send({ messageId, execSignalResponse: { success: true } });
    } else if (execResize) {
      of(execResize.execId)?.sizes.push([execResize.terminal?.columns ?? 0, execResize.terminal?.rows ?? 0]);
      send({ messageId, execResizeResponse: { success: true } });
    } else if (cancel) {
      const command = this.commands.find(({ startedBy }) => startedBy === cancel.messageId);
      send({ messageId, cancelResponse: { success: command !== undefined } });
      command?.onCancel();
    } else if (streamData) {
      of(streamData.streamId)?.input(streamData.data ?? new Uint8Array(), streamData.end ?? false);
    } else if (streamCredit) {
      of(streamCredit.streamId)?.grant(streamCredit.channel ?? 0, toNumber(streamCredit.bytes ?? 0));
    } else if (message.execList) {
      const commands = this.commands.map(({ execId, pid, start }) => ({
        execId,
        pid,
        command: start.command ?? "",
        args: start.args ?? [],
        startedAt: { seconds: 1_700_000_000, nanos: 0 },
        running: true,
        onDisconnect: start.onDisconnect ?? 0,
      }));
      send({ messageId, execListResponse: { success: true, commands } });
    } else {
      return false;
    }
    return true;
  }

  leave(send: Send): void {
    for (const command of this.commands) command.leave(send);
  }

  #start(messageId: string, start: Start, send: Send): void {
    const { stdinWindowBytes = 64 * 1024 } = this.#options;
    const command = new FakeCommand(
      `exec-${this.commands.length + 1}`,
      messageId,
      start,
      start.stdin || start.terminal ? stdinWindowBytes : 0,
    );
    this.commands.push(command);
    const { execId, pid } = command;
    const windowOfInput = command.stdinWindowBytes;
    send({
      messageId,
      execStartResponse: { success: true, execId, pid, stdinWindowBytes: windowOfInput },
    });
    command.attach(send, toNumber(start.windowBytes ?? 0));
    this.#options.run?.(command);
  }
}

interface Channel {
  waiting: Buffer[];
  credit: number;
  sentBytes: number;
  end: "no" | "asked" | "sent";
}

/** One of them. Its output honours the host's credit, as a real one's does. */
export class FakeCommand {
  readonly pid = 4242;
  readonly signals: number[] = [];
  readonly sizes: [columns: number, rows: number][] = [];
  droppedBytes = 0;
  /** What has come on standard input, and whether its end has. */
  inputBytes = 0;
  inputEnded = false;
  /** The largest piece of it. */
  largestInputPiece = 0;
  /** What came over the credit that the host had. */
  excessBytes = 0;
  /** Whether input is used up, and credit given again, as soon as it comes. */
  readsInput = true;
  onInput: () => void = () => undefined;
  onCancel: () => void = () => undefined;
  readonly #input: Buffer[] = [];
  readonly #channels = new Map<number, Channel>();
  #inputCredit: number;
  #send: Send | undefined;
  #exit: Exited | undefined;

  constructor(
    readonly execId: string,
    readonly startedBy: string,
    readonly start: Start,
    readonly stdinWindowBytes: number,
  ) {
    this.#inputCredit = stdinWindowBytes;
  }

  get terminal(): boolean {
    return Boolean(this.start.terminal);
  }

  get isAttached(): boolean {
    return this.#send !== undefined;
  }

  /** All of standard input so far. */
  get inputData(): Buffer {
    return Buffer.concat(this.#input);
  }

  /** Sent on a channel, and how much more may be. */
  sentBytes(channel = 1): number {
    return this.#channel(channel).sentBytes;
  }

  creditBytes(channel = 1): number {
    return this.#channel(channel).credit;
  }

  /** Prints, as soon as the host has room. */
  print(data: string | Buffer, channel = 1): void {
    this.#channel(channel).waiting.push(Buffer.from(data));
    this.#pump();
  }

  /** No more output on the channel. */
  end(channel = 1): void {
    const { end } = this.#channel(channel);
    if (end === "no") this.#channel(channel).end = "asked";
    this.#pump();
  }

  /** Ends, when all that was printed has been sent. */
  exit(exited: Exited = {}): void {
    this.#exit = { exitCode: 0, signal: 0, timedOut: false, durationMs: 5, ...exited };
    this.#pump();
  }

  /** Gives credit for the input, whether it was used up or not. */
  grantInput(bytes: number): void {
    this.#inputCredit += bytes;
    this.raw({ streamCredit: { streamId: this.execId, channel: 0, bytes } });
  }

  /** Sends whatever a test wants an agent to send. */
  raw(envelope: Omit<Envelope, "messageId">): void {
    this.#send?.({ ...envelope, messageId: "" });
  }

  attach(send: Send, windowBytes: number): void {
    this.#send = send;
    for (const channel of [1, 2]) this.#channel(channel).credit = windowBytes;
    this.#pump();
  }

  leave(send: Send): void {
    if (this.#send === send) this.#send = undefined;
  }

  grant(channel: number, bytes: number): void {
    this.#channel(channel).credit += bytes;
    this.#pump();
  }

  input(data: Uint8Array, end: boolean): void {
    this.#inputCredit -= data.length;
    if (this.#inputCredit < 0) this.excessBytes = Math.max(this.excessBytes, -this.#inputCredit);
    this.largestInputPiece = Math.max(this.largestInputPiece, data.length);
    this.#input.push(Buffer.from(data));
    this.inputBytes += data.length;
    this.inputEnded ||= end;
    if (this.readsInput && data.length > 0) this.grantInput(data.length);
    this.onInput();
  }

  #channel(number: number): Channel {
    let channel = this.#channels.get(number);
    if (channel === undefined) {
      channel = { waiting: [], credit: 0, sentBytes: 0, end: "no" };
      this.#channels.set(number, channel);
    }
    return channel;
  }

  #pump(): void {
    if (this.#send === undefined) return;
    const { execId: streamId } = this;
    for (const [channel, state] of this.#channels) {
      for (let piece = state.waiting[0]; piece && state.credit > 0; piece = state.waiting[0]) {
        const data = piece.subarray(0, Math.min(state.credit, 64 * 1024));
        if (data.length < piece.length) state.waiting[0] = piece.subarray(data.length);
        else state.waiting.shift();
        state.credit -= data.length;
        state.sentBytes += data.length;
        this.raw({ streamData: { streamId, channel, data } });
      }
      if (state.end === "asked" && state.waiting.length === 0) {
        state.end = "sent";
        this.raw({ streamData: { streamId, channel, end: true } });
      }
    }
    if (this.#exit && [...this.#channels.values()].every(({ waiting }) => waiting.length === 0)) {
      this.raw({ execExited: { execId: streamId, ...this.#exit } });
      this.#exit = undefined;
    }
  }
}
