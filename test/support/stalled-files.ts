import { type AgentMessage, type Envelope, FileKind } from "../../src/wire/envelope.ts";
import type { FakeGuest } from "./fake-agent.ts";

const entry = {
  name: "disk.img",
  path: "/disk.img",
  kind: FileKind.FILE_KIND_FILE,
  mode: 0o644,
  version: "v",
};

/** Files of a FakeAgent whose transfers begin, get as far as `bytes`, and stand still there. */
export class StalledFiles implements FakeGuest {
  readonly features = ["files", "file_get", "file_put", "cancel"];
  /** Ids of the requests that were given up. */
  readonly cancelled: string[] = [];
  receivedBytes = 0;
  readonly #bytes: number;
  readonly #totalBytes: number;

  constructor({ bytes, totalBytes }: { bytes: number; totalBytes: number }) {
    this.#bytes = bytes;
    this.#totalBytes = totalBytes;
  }

  receive(
    { messageId, fileStat, fileGet, filePut, streamData, cancel }: AgentMessage,
    send: (envelope: Envelope) => void,
  ): boolean {
    const sized = { ...entry, sizeBytes: this.#totalBytes };
    if (fileStat?.path === entry.path) {
      send({ messageId, fileStatResponse: { success: true, entry: sized, error: "" } });
    } else if (fileStat) {
      send({ messageId, fileStatResponse: { success: false, error: "QXGA-4001 it is not there" } });
    } else if (fileGet) {
      send({ messageId, fileGetResponse: { success: true, streamId: "get", entry: sized, error: "" } });
      for (let sent = 0; sent < this.#bytes; sent += 65_280) {
        const data = Buffer.alloc(Math.min(65_280, this.#bytes - sent));
        send({ messageId: "", streamData: { streamId: "get", channel: 1, data } });
      }
    } else if (filePut) {
      const windowBytes = this.#bytes;
      send({
        messageId,
        filePutResponse: { success: true, streamId: "put", receivedBytes: 0, windowBytes, error: "" },
      });
    } else if (streamData) {
      this.receivedBytes += streamData.data?.length ?? 0;
    } else if (cancel) {
      this.cancelled.push(cancel.messageId ?? "");
      send({ messageId, cancelResponse: { success: true, error: "" } });
    } else {
      return false;
    }
    return true;
  }

  leave(): void {
    // Nothing of it is kept.
  }
}
