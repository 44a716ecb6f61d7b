import type { Readable, Writable } from "node:stream";
import { codeText } from "../../wire/errors.ts";
import { HostError } from "../errors.ts";
import type { Message } from "../messages.ts";
import type { Session } from "../session.ts";
import { deferred } from "../waiting.ts";
import { checkAnswer } from "./answer.ts";
import { Input } from "./input.ts";
import { type TerminalSize, terminalFields } from "./options.ts";
import { Output } from "./output.ts";
import { sigkill, signalNumber } from "./signals.ts";

export interface ExitStatus {
  /** 128 + n after death by signal n; -1 when it was ended at its limit. */
  exitCode: number;
  /** The number of the signal that it died of; 0 for none. */
  signal: number;
  /** It was ended at its limit. */
  timedOut: boolean;
  /** From start to end. */
  durationMs: number;
}

/** What is known of a command when its stream begins. */
export interface Facts {
  execId: string;
  pid: number;
  /** Credit; undefined without standard input. */
  stdinWindowBytes: number | undefined;
  /** Credit that the agent has for each output. */
  windowBytes: number;
  terminal: boolean;
  droppedBytes: number;
  /** Of the exec_start; undefined for a command that another has started. */
  messageId: string | undefined;
  /** Ends the command. */
  signal: AbortSignal | undefined;
}

/**
 * A command that runs in the guest. Its streams are Node's; a stream nobody listens to raises no "error" event that would
 * end this process, for `exit` tells it too.
 */
export class RemoteProcess {
  readonly execId: string;
  /** In the guest. */
  readonly pid: number;
  /** Null when it has none. Writing fails with EPIPE once the command takes no more. */
  readonly stdin: Writable | null;
  /** Bytes; with a terminal all of its output. Not read, it holds the command up when the window is full. */
  readonly stdout: Readable;
  /** Null with a terminal. */
  readonly stderr: Readable | null;
  /**
   * How it ended, when all of its output has come, read or not. Rejects with a HostError when the connection goes or the
   * agent is started anew; nobody has to listen.
   */
  readonly exit: Promise<ExitStatus>;
  /** After attach(): older output that was not kept. */
  readonly droppedBytes: number;
  readonly #session: Session;
  readonly #messageId: string | undefined;
  readonly #input: Input | null;
  /** By channel; 0 is standard input. */
  readonly #outputs: readonly (Output | null)[];
  readonly #ending = deferred<ExitStatus>();
  #over = false;

  /** Made by Client.spawn() and attach(). Throws a HostError when the agent gave it an id that is none. */
  constructor(session: Session, facts: Facts) {
    const { execId, pid, stdinWindowBytes, windowBytes, terminal, droppedBytes, messageId } = facts;
    this.#session = session;
    this.execId = execId;
    this.pid = pid;
    this.droppedBytes = droppedBytes;
    this.#messageId = messageId;
    this.exit = this.#ending.promise;

    const output = (channel: number): Output =>
      new Output(windowBytes, (bytes) => {
        session.send({ streamCredit: { streamId: execId, channel, bytes } });
      });
    const stdout = output(1);
    const stderr = terminal ? null : output(2);
    this.stdin = this.#input =
      stdinWindowBytes === undefined ? null : new Input(session, execId, stdinWindowBytes);
    this.stdout = stdout;
    this.stderr = stderr;
    this.#outputs = [null, stdout, stderr];
    for (const stream of [this.stdin, stdout, stderr]) stream?.on("error", () => undefined);

    session.streams.open(execId, {
      data: (channel, bytes, end) => {
        this.#data(channel, bytes, end);
      },
      credit: (channel, bytes) => {
        if (channel === 0) this.#input?.grant(bytes);
      },
      exited: (event) => {
        this.#exited(event);
      },
      fail: (error) => {
        this.#fail(error);
      },
    });
    if (facts.signal) this.#killWhenAborted(facts.signal);
  }

  /** Sends a signal to the command's process group: a number of the guest's system, or a name as Linux has it. */
  async signal(signal: number | NodeJS.Signals): Promise<void> {
    const { execId } = this;
    checkAnswer(await this.#session.request("execSignal", { execId, signal: signalNumber(signal) }));
  }

  /** Gives the command's terminal another size. */
  async resize(size: TerminalSize): Promise<void> {
    const { execId } = this;
    checkAnswer(await this.#session.request("execResize", { execId, terminal: terminalFields(size) }));
  }

  /**
   * Ends the command and all its children; resolves when that has begun, or it had ended already. One that attach() has
   * taken over gets SIGKILL, as its process group does.
   */
  async kill(): Promise<void> {
    if (this.#over) return;
    const { execId } = this;
    const answer =
      this.#messageId !== undefined && this.#session.supports("cancel")
        ? await this.#session.request("cancel", { messageId: this.#messageId })
        : await this.#session.request("execSignal", { execId, signal: sigkill });
    if (!endedMeanwhile.some((code) => answer.error.startsWith(code))) checkAnswer(answer);
  }

  #killWhenAborted(signal: AbortSignal): void {
    const abort = (): void => {
      this.kill().catch(() => undefined); // `exit` says what has become of it
    };
    const forget = (): void => {
      signal.removeEventListener("abort", abort);
    };
    signal.addEventListener("abort", abort, { once: true });
    this.exit.then(forget, forget);
  }

  #data(channel: number, bytes: Buffer, end: boolean): void {
    if (channel === 0) {
      if (end) this.#input?.close();
      return;
    }
    const output = this.#outputs[channel];
    if (!output?.admits(bytes.length)) {
      const what = `the agent sent ${bytes.length} bytes on channel ${channel} of ${this.execId}`;
      this.kill().catch(() => undefined);
      this.#fail(new HostError("agent-error", `${what}, for which it had no credit`));
      return;
    }
    output.receive(bytes);
    if (end) output.finish();
  }

  #exited({ exitCode, signal, timedOut, durationMs }: Message<"execExited">): void {
    this.#end();
    for (const output of this.#outputs) output?.finish();
    this.#input?.close();
    this.#ending.resolve({ exitCode, signal, timedOut, durationMs });
  }

  #fail(error: HostError): void {
    this.#end();
    for (const output of this.#outputs) output?.fail(error);
    this.#input?.fail(error);
    this.#ending.reject(error);
  }

  #end(): void {
    this.#over = true;
    this.#session.streams.close(this.execId);
  }
}

/** What a cancel, and a signal, for a command that is no more are answered with. */
const endedMeanwhile = [codeText("badMessageId"), codeText("noSuchCommand")];
