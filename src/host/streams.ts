import { type AgentMessage, toNumber } from "../wire/envelope.ts";
import { HostError } from "./errors.ts";
import type { Message } from "./messages.ts";
import { plain } from "./plain.ts";

/** The host's end of a stream. The guest is not trusted: it may send anything at any time. */
export interface Stream {
  data(channel: number, bytes: Buffer, end: boolean): void;
  /** The agent has room for so many more bytes of a channel. */
  credit(channel: number, bytes: number): void;
  /** The last that comes. */
  exited(event: Message<"execExited">): void;
  /** Nothing more comes, because the session has ended. */
  fail(error: HostError): void;
}

/** The streams of one session, by their ids. */
export class Streams {
  readonly #open = new Map<string, Stream>();

  /** From now on what comes for `id` is for `stream`. Throws a HostError when the agent gave an id that is none. */
  open(id: string, stream: Stream): void {
    if (id === "" || this.#open.has(id)) {
      throw new HostError(
        "agent-error",
        `the agent began a stream with ${id ? "an id that is in use" : "no id"}`,
      );
    }
    this.#open.set(id, stream);
  }

  close(id: string): void {
    this.#open.delete(id);
  }

  /** Takes what belongs to streams; false for all else. What comes for one that has ended has no receiver. */
  take({ streamData, streamCredit, execExited }: AgentMessage): boolean {
    if (streamData) {
      const { streamId, channel, data, end } = streamData;
      this.#open.get(streamId ?? "")?.data(channel ?? 0, bufferOf(data), end ?? false);
    } else if (streamCredit) {
      const { streamId, channel, bytes } = streamCredit;
      this.#open.get(streamId ?? "")?.credit(channel ?? 0, toNumber(bytes ?? 0));
    } else if (execExited) {
      const event = plain<NonNullable<AgentMessage["execExited"]>>(execExited);
      this.#open.get(event.execId)?.exited(event);
    } else {
      return false;
    }
    return true;
  }

  failAll(error: HostError): void {
    const streams = [...this.#open.values()];
    this.#open.clear();
    for (const stream of streams) stream.fail(error);
  }
}

/** The same bytes, not a copy. */
function bufferOf(bytes: Uint8Array | null | undefined): Buffer {
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.alloc(0);
}
