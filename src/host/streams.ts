import { type AgentMessage, toNumber } from "../wire/envelope.ts";
import { HostError } from "./errors.ts";
import type { Message } from "./messages.ts";
import { plain } from "./plain.ts";

/** The host's end of a stream. The guest is not trusted: it may send anything at any time. */
export interface Stream {
  data(channel: number, bytes: Buffer, end: boolean): void;
  /** The agent has room for so many more bytes of a channel. */
  credit(channel: number, bytes: number): void;
  /** The last that comes of a command. */
  exited?(event: Message<"execExited">): void;
  /** The last that comes of a transfer. */
  ended?(event: Message<"transferEnded">): void;
  /** Nothing more comes, because the session has ended. */
  fail(error: HostError): void;
}

/** The host's end of a watch. */
export interface Watch {
  changed(event: Message<"fileChanged">): void;
  /** Nothing more comes, because the session has ended. */
  fail(error: HostError): void;
}

/** The streams and watches of one session, by their ids. */
export class Streams {
  readonly #open = new Map<string, Stream>();
  readonly #watches = new Map<string, Watch>();

  /** From now on what comes for `id` is for `stream`. Throws a HostError when the agent gave an id that is none. */
  open(id: string, stream: Stream): void {
    if (!isStreamId(id) || this.#open.has(id)) throw badId("stream", id);
    this.#open.set(id, stream);
  }

  close(id: string): void {
    this.#open.delete(id);
  }

  /** From now on the changes of `id` are for `watch`. Throws as open(). */
  openWatch(id: string, watch: Watch): void {
    if (!isStreamId(id) || this.#watches.has(id)) throw badId("watch", id);
    this.#watches.set(id, watch);
  }

  closeWatch(id: string): void {
    this.#watches.delete(id);
  }

  /** Takes what belongs to streams; false for all else. What comes for one that has ended has no receiver. */
  take({ streamData, streamCredit, execExited, transferEnded, fileChanged }: AgentMessage): boolean {
    if (streamData) {
      const { streamId, channel, data, end } = streamData;
      this.#open.get(streamId ?? "")?.data(channel ?? 0, bufferOf(data), end ?? false);
    } else if (streamCredit) {
      const { streamId, channel, bytes } = streamCredit;
      this.#open.get(streamId ?? "")?.credit(channel ?? 0, toNumber(bytes ?? 0));
    } else if (execExited) {
      const event = plain<NonNullable<AgentMessage["execExited"]>>(execExited);
      this.#open.get(event.execId)?.exited?.(event);
    } else if (transferEnded) {
      const event = plain<NonNullable<AgentMessage["transferEnded"]>>(transferEnded);
      this.#open.get(event.streamId)?.ended?.(event);
    } else if (fileChanged) {
      const event = plain<NonNullable<AgentMessage["fileChanged"]>>(fileChanged);
      this.#watches.get(event.watchId)?.changed(event);
    } else {
      return false;
    }
    return true;
  }

  failAll(error: HostError): void {
    const all = [...this.#open.values(), ...this.#watches.values()];
    this.#open.clear();
    this.#watches.clear();
    for (const one of all) one.fail(error);
  }
}

/** What frames are made with: see frameStreamData(). */
function isStreamId(id: string): boolean {
  return /^[\x21-\x7e]{1,64}$/.test(id);
}

function badId(what: string, id: string): HostError {
  const why = id === "" ? "no id" : isStreamId(id) ? "an id that is in use" : "an id that cannot be one";
  return new HostError("agent-error", `the agent began a ${what} with ${why}`);
}

/** The same bytes, not a copy. */
function bufferOf(bytes: Uint8Array | null | undefined): Buffer {
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.alloc(0);
}
