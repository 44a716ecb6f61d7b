import { portEvent } from "../../native/port.ts";
import { openStream } from "../../native/streams.ts";
import { encodeFrame } from "../../wire/envelope.ts";
import type { Framing } from "../../wire/frame.ts";
import { maxStreamDataBytes } from "../../wire/stream-frame.ts";
import type { Stream, Streams } from "../session/streams.ts";
import { CommandInput } from "./command-input.ts";
import { type Command, type Exit, exitCodeOf } from "./command.ts";
import { after } from "../deadline.ts";
import { OutputChannel, afterDrainBytes } from "./output-channel.ts";

/** How long output is waited for when the command has ended and children of it still hold the pipes. */
const drainMs = 100;

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

/**
 * A command whose input and output are a stream. While a host is attached nothing is read from the command that the host
 * has no room for; without a host, a command that is kept is read, and the newest of it remembered.
 */
export class LiveCommand implements Stream {
  readonly id: string;
  readonly options: LiveOptions;
  readonly #command: Command;
  readonly #channels: OutputChannel[];
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
  #takeBackDeadline: (() => void) | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `onEnd` is told when the host has heard of the end, or nobody ever will. */
  constructor(id: string, command: Command, options: LiveOptions, onEnd: (live: LiveCommand) => void) {
    this.id = id;
    this.options = options;
    this.#command = command;
    this.#onEnd = onEnd;
    this.#channels = [command.stdout, command.stderr].flatMap((pipe, i) =>
      pipe ? [new OutputChannel(id, i + 1, pipe, options)] : [],
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
      lostBytes += channel.attach(receivedBytes[channel.number - 1] ?? 0, windowBytes);
    }
    this.#leaveSession = streams.open(this.id, this, {
      messageId,
      cancelled: () => {
        this.terminate();
      },
      ended: () => {
        this.#detach();
      },
    });
    if (streams.signal.aborted) this.#detach(); // in the moment between the start and this
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
    channel.addCredit(bytes);
    this.start();
  }

  nextFrame(framing: Framing, scratch: Buffer): Buffer | undefined {
    if (this.#finished || this.told) return undefined;
    for (const channel of this.#channels) {
      const frame = channel.nextFrame(framing, scratch);
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
    const port = openStream(stdin, (mask) => {
      if ((mask & portEvent.error) !== 0) this.#input?.readerGone();
      else if ((mask & portEvent.writable) !== 0) this.#input?.writable();
    });
    return new CommandInput("pipe", port, events);
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
    for (const channel of this.#channels) {
      while (channel.pipe.mayHaveMore) {
        if (reads++ === readsPerTurn) {
          this.#wake();
          return;
        }
        channel.keep(buffer);
      }
    }
    if (this.#exit !== undefined && this.#channels.every(({ pipe }) => pipe.ended)) this.#command.release();
  }

  #ended(exit: Exit): void {
    this.#takeBackDeadline?.();
    this.#exit = exit;
    this.#durationMs = Math.round(this.#command.durationMs);
    setTimeout(() => {
      const drain = { leftBytes: afterDrainBytes };
      for (const channel of this.#channels) channel.drain(drain);
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
