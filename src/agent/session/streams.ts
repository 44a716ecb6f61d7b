import type { Envelope } from "../../wire/envelope.ts";
import type { Framing } from "../../wire/frame.ts";
import type { FrameSource, Responder } from "./responder.ts";

/** The agent's end of a stream. */
export interface Stream extends FrameSource {
  /**
   * Bytes of the host, whose memory is used again when this returns, and whether they are the last of the channel. Must
   * not throw, and must not trust the host.
   */
  data(channel: number, bytes: Uint8Array, end: boolean): void;
  /** The host has room for so many more bytes of the channel. */
  credit(channel: number, bytes: number): void;
}

/** What one session has under way besides unanswered requests. Ends with the session. */
export class Streams {
  /** Aborted when the session ends. */
  readonly signal: AbortSignal;
  /** For logs: the start of the session's id, or "" with a host that says no hello. */
  readonly sessionName: string;
  readonly #responder: Responder;
  readonly #send: (envelope: Envelope) => void;
  readonly #open = new Map<string, Stream>();
  readonly #atEnd = new Set<() => void>();
  readonly #cancellable = new Map<string, () => void>();

  /** `send` queues an event. */
  constructor(
    signal: AbortSignal,
    sessionName: string,
    responder: Responder,
    send: (envelope: Envelope) => void,
  ) {
    this.signal = signal;
    this.sessionName = sessionName;
    this.#responder = responder;
    this.#send = send;
    const end = (): void => {
      for (const action of this.#atEnd) action();
    };
    if (!signal.aborted) signal.addEventListener("abort", end, { once: true });
  }

  /**
   * From now on what the host sends for `id` reaches `stream`; `cancelled` is called at a cancel for `messageId`, `ended`
   * when the session ends, unless it has. Gives the function that takes all of it back.
   */
  open(
    id: string,
    stream: Stream,
    { messageId, cancelled, ended }: { messageId: string; cancelled: () => void; ended: () => void },
  ): () => void {
    this.#open.set(id, stream);
    const takeBackCancel = this.onCancel(messageId, cancelled);
    const takeBackEnd = this.onEnd(ended);
    return () => {
      takeBackEnd();
      takeBackCancel();
      this.#responder.remove(stream);
      this.#open.delete(id);
    };
  }

  /** How frames are made now. */
  get framing(): Framing {
    return this.#responder.framing;
  }

  /** `stream` has frames to send. */
  ready(stream: Stream): void {
    if (!this.signal.aborted) this.#responder.ready(stream);
  }

  send(envelope: Envelope): void {
    if (!this.signal.aborted) this.#send(envelope);
  }

  /** Bytes of the host. Those for a stream that has ended meanwhile have no receiver. */
  data(id: string, channel: number, bytes: Uint8Array, end: boolean): void {
    this.#open.get(id)?.data(channel, bytes, end);
  }

  credit(id: string, channel: number, bytes: number): void {
    this.#open.get(id)?.credit(channel, bytes);
  }

  /**
   * What is done when the session ends, unless it has; gives the function that takes it back. With hundreds of requests
   * it is cheaper than a listener of the signal for each.
   */
  onEnd(action: () => void): () => void {
    this.#atEnd.add(action);
    return () => {
      this.#atEnd.delete(action);
    };
  }

  /** What a cancel for the message_id does; gives the function that takes it back. */
  onCancel(messageId: string, cancel: () => void): () => void {
    this.#cancellable.set(messageId, cancel);
    return () => {
      if (this.#cancellable.get(messageId) === cancel) this.#cancellable.delete(messageId);
    };
  }

  /** False when nothing of that message_id is under way. */
  cancel(messageId: string): boolean {
    const cancel = this.#cancellable.get(messageId);
    cancel?.();
    return cancel !== undefined;
  }
}
