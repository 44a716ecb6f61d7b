import { addon } from "../../native/addon.ts";
import { portEvent } from "../../native/port.ts";
import { encodeFrame } from "../../wire/envelope.ts";
import type { Framing } from "../../wire/frame.ts";
import { frameStreamData, maxStreamDataBytes, streamDataHeadBytes } from "../../wire/stream-frame.ts";
import type { Scratch } from "../session/responder.ts";
import type { Stream, Streams } from "../session/streams.ts";
import { CommandInput } from "./command-input.ts";
import { type Command, type Exit, exitCodeOf } from "./command.ts";
import { after } from "../deadline.ts";
import { OutputHistory } from "./output-history.ts";
import type { OutputPipe } from "./output-pipe.ts";

/** How long output is waited for when the command has ended and children of it still hold the pipes. */
const drainMs = 100;

/** What is still taken after that: more than a pipe holds, so nothing that the command itself has printed is lost. */
const afterDrainBytes = 1024 * 1024;

/**
 * What a host has been sent may be lost with it. One that is still there after so long has got the end of a kept
 * command; after one that is not, another can ask for it.
 */
const toldMs = 10_000;

/** Reads in a row for nobody, before other work gets its turn. */
const readsPerTurn = 16;

export interface LiveOptions {
  /** "keep": it survives the loss of its host. */
  onDisconnect: "kill" | "keep";
  /** With "keep": newest bytes of each channel that a host which attaches later can have. */
  keepBytes: number;
  /** 0: no limit. */
  timeoutMs: number;
}

/** One of a command's outputs: 1 or 2. */
interface Channel {
  number: number;
  pipe: OutputPipe;
  /** What was read: with "keep" the newest of it, else only what was not sent. */
  history: OutputHistory;
  /** How much of the channel the host has been sent. */
  sentBytes: number;
  /** Bytes that the host has room for. */
  credit: number;
  /** The host knows that there is no more. */
  endSent: boolean;
}

/**
 * A command whose input and output are a stream. While a host is attached nothing is read from the command that the host
 * has no room for; without a host, a command that is kept is read, and the newest of it remembered.
 */
export class LiveCommand implements Stream {
  readonly id: string;
  readonly options: LiveOptions;
  readonly #command: Command;
  readonly #channels: Channel[];
  readonly #input: CommandInput | undefined;
  readonly #onEnd: (live: LiveCommand) => void;
  #streams: Streams | undefined;
  #exit: Exit | undefined;
  #durationMs = 0;
  #timedOut = false;
  /** What the session remembers of it: a session may outlive many commands. */
  #leaveSession: (() => void) | undefined;
  #finished = false;
  /** Runs while a kept command's end is sent and not known to have come. */
  #told: NodeJS.Timeout | undefined;
  #drain: "running" | "draining" | { leftBytes: number } = "running";
  #takeBackDeadline: (() => void) | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `onEnd` is told when the host has heard of the end, or nobody ever will. */
  constructor(id: string, command: Command, options: LiveOptions, onEnd: (live: LiveCommand) => void) {
    this.id = id;
    this.options = options;
    this.#command = command;
    this.#onEnd = onEnd;
    this.#channels = [command.stdout, command.stderr].flatMap((pipe, i) =>
      pipe ? [newChannel(i + 1, pipe, options.keepBytes)] : [],
    );
    this.#input = this.#openInput();
    for (const { pipe } of this.#channels) {
      pipe.watch(
        () => {
          this.#wake();
        },
        () => this.#input?.writable(),
      );
    }
    if (options.timeoutMs > 0) {
      this.#takeBackDeadline = after(options.timeoutMs, () => {
        this.#timedOut = true;
        command.terminate();
      });
    }
    void command.exited.then((exit) => {
      this.#ended(exit);
    });
  }

  get pid(): number {
    return this.#command.pid;
  }

  get attached(): boolean {
    return this.#streams !== undefined;
  }

  /** The host that is attached has been sent all there is. */
  get told(): boolean {
    return this.#told !== undefined;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** -1 when it was ended at its deadline. */
  get exitCode(): number {
    if (this.#exit === undefined) return 0;
    return this.#timedOut ? -1 : exitCodeOf(this.#exit);
  }

  get stdinWindowBytes(): number {
    return this.#input?.allowedBytes ?? 0;
  }

  /**
   * A host takes it over, with room for so many bytes of each channel, of which it has had so many already. Nothing is
   * sent before start(). A cancel for `messageId` ends the command. Gives the number of bytes that the host has not had
   * and that are no longer kept.
   */
  attach(
    streams: Streams,
    messageId: string,
    windowBytes: number,
    receivedBytes: readonly [number, number] = [0, 0],
  ): number {
    this.#streams = streams;
    let lostBytes = 0;
    for (const channel of this.#channels) {
      const received = Math.min(receivedBytes[channel.number - 1] ?? 0, channel.history.end);
      channel.credit = windowBytes;
      channel.endSent = false;
      channel.sentBytes = Math.max(received, channel.history.start);
      lostBytes += channel.sentBytes - received;
    }
    const takeBackCancel = streams.onCancel(messageId, () => {
      this.terminate();
    });
    streams.open(this.id, this);
    const onSessionEnd = (): void => {
      this.#detach();
    };
    streams.signal.addEventListener("abort", onSessionEnd, { once: true });
    this.#leaveSession = () => {
      streams.signal.removeEventListener("abort", onSessionEnd);
      takeBackCancel();
      streams.close(this.id);
    };
    if (streams.signal.aborted) onSessionEnd(); // in the moment between the start and this
    return lostBytes;
  }

  start(): void {
    this.#streams?.ready(this);
  }

  /** To its process group. False when it has ended. */
  signal(number: number): boolean {
    return this.#command.signal(number);
  }

  resize(columns: number, rows: number): void {
    this.#command.resize(columns, rows);
  }

  /** Ends it and all that it has started. Its output so far, and its end, are still told. */
  terminate(): void {
    this.#command.terminate();
  }

  data(channel: number, bytes: Uint8Array, end: boolean): void {
    if (channel === 0) this.#input?.data(bytes, end);
  }

  credit(number: number, bytes: number): void {
    const channel = this.#channels.find((candidate) => candidate.number === number);
    if (channel === undefined) return;
    channel.credit = Math.min(channel.credit + bytes, Number.MAX_SAFE_INTEGER);
    this.start();
  }

  nextFrame(framing: Framing, { buffer: scratch }: Scratch): Buffer | undefined {
    if (this.#finished || this.told) return undefined;
    for (const channel of this.#channels) {
      const frame = this.#frameOf(channel, framing, scratch);
      if (frame === undefined) continue;
      this.#channels.reverse(); // the other one's turn
      return frame;
    }
    if (this.#exit === undefined || this.#channels.some(({ endSent }) => !endSent)) return undefined;
    const frame = encodeFrame(framing, {
      messageId: this.id,
      execExited: {
        execId: this.id,
        exitCode: this.exitCode,
        signal: this.#exit.signal,
        timedOut: this.#timedOut,
        durationMs: this.#durationMs,
      },
    });
    if (this.options.onDisconnect === "keep") this.#tell();
    else this.#finish();
    return frame;
  }

  #openInput(): CommandInput | undefined {
    const events = {
      taken: (bytes: number) => {
        this.#streams?.send({ streamCredit: { streamId: this.id, channel: 0, bytes } });
      },
      closed: () => {
        this.#streams?.send({ streamData: { streamId: this.id, channel: 0, end: true } });
      },
    };
    const { stdin, stdout } = this.#command;
    if (this.#command.isTerminal && stdout) return new CommandInput("terminal", stdout.port, events);
    if (stdin < 0) return undefined;
    const port = new addon.Port({ fd: stdin }, (mask) => {
      if ((mask & portEvent.error) !== 0) this.#input?.readerGone();
      else if ((mask & portEvent.writable) !== 0) this.#input?.writable();
    });
    return new CommandInput("pipe", port, events);
  }

  #frameOf(channel: Channel, framing: Framing, scratch: Buffer): Buffer | undefined {
    if (channel.endSent) return undefined;
    const room = Math.min(channel.credit, maxStreamDataBytes);
    if (room > 0) {
      const count = this.#fill(channel, scratch.subarray(streamDataHeadBytes, streamDataHeadBytes + room));
      channel.credit -= count;
      const head = { streamId: this.id, channel: channel.number, end: false };
      if (count > 0) return frameStreamData(framing, head, scratch, count);
    } else {
      this.#lookAhead(channel);
    }
    if (!channel.pipe.ended || channel.sentBytes < channel.history.end) return undefined;
    channel.endSent = true;
    return encodeFrame(framing, {
      messageId: this.id,
      streamData: { streamId: this.id, channel: channel.number, end: true },
    });
  }

  /** The next bytes of a channel; 0 when there are none now. */
  #fill(channel: Channel, target: Buffer): number {
    const { history, pipe } = channel;
    const keeps = this.options.onDisconnect === "keep";
    let count = 0;
    if (channel.sentBytes < history.end) {
      count = history.copy(channel.sentBytes, target);
    } else if (pipe.mayHaveMore) {
      count = this.#read(pipe, target);
      if (keeps) history.push(target.subarray(0, count));
      else history.pass(count);
    }
    channel.sentBytes += count;
    if (!keeps) history.forgetBefore(channel.sentBytes);
    return count;
  }

  /** A host without room must still learn of the end: one byte is read to find out whether it has come. */
  #lookAhead({ history, sentBytes, pipe }: Channel): void {
    if (sentBytes < history.end || !pipe.mayHaveMore) return;
    const byte = Buffer.alloc(1);
    if (this.#read(pipe, byte) > 0) history.push(byte);
  }

  /** Children that outlive the command may go on printing; they are not listened to for ever. */
  #read(pipe: OutputPipe, target: Buffer): number {
    const count = pipe.read(target);
    if (typeof this.#drain === "string") return count;
    this.#drain.leftBytes -= count;
    if (count === 0 || this.#drain.leftBytes <= 0) pipe.close();
    return count;
  }

  #wake(): void {
    if (this.#streams) this.#streams.ready(this);
    else
      this.#turn ??= setImmediate(() => {
        this.#keep();
      });
  }

  /** Reads for nobody. */
  #keep(): void {
    this.#turn = undefined;
    if (this.#streams) return;
    const buffer = Buffer.allocUnsafe(maxStreamDataBytes);
    let reads = 0;
    this.#channels.reverse(); // one that never runs dry does not hold up the other
    for (const { pipe, history } of this.#channels) {
      while (pipe.mayHaveMore) {
        if (reads++ === readsPerTurn) {
          this.#wake();
          return;
        }
        const count = this.#read(pipe, buffer);
        if (count > 0) history.push(buffer.subarray(0, count));
      }
    }
    if (this.#exit !== undefined && this.#channels.every(({ pipe }) => pipe.ended)) this.#command.release();
  }

  #ended(exit: Exit): void {
    this.#takeBackDeadline?.();
    this.#exit = exit;
    this.#durationMs = Math.round(this.#command.durationMs);
    this.#drain = "draining";
    setTimeout(() => {
      this.#drain = { leftBytes: afterDrainBytes };
      for (const { pipe } of this.#channels) pipe.lookAgain();
      this.#wake();
    }, drainMs);
    this.#wake();
  }

  #tell(): void {
    this.#input?.close();
    this.#command.release();
    this.#told = setTimeout(() => {
      this.#finish();
    }, toldMs).unref();
  }

  #detach(): void {
    this.#streams = undefined;
    clearTimeout(this.#told);
    this.#told = undefined;
    if (this.options.onDisconnect === "kill") {
      this.#command.terminate();
      this.#finish();
    } else {
      this.#wake();
    }
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#takeBackDeadline?.();
    clearTimeout(this.#told);
    clearImmediate(this.#turn);
    this.#leaveSession?.();
    this.#streams = undefined;
    this.#input?.close();
    this.#command.release();
    this.#onEnd(this);
  }

  /** Nobody will ask for it any more. */
  forget(): void {
    this.#finish();
  }
}

function newChannel(number: number, pipe: OutputPipe, keepBytes: number): Channel {
  return { number, pipe, history: new OutputHistory(keepBytes), sentBytes: 0, credit: 0, endSent: false };
}
