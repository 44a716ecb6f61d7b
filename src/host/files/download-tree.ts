import { checkAnswer } from "../commands/answer.ts";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import { tooLarge, writeAll } from "./append.ts";
import { downloadTreeByFile } from "./download-tree-by-file.ts";
import { Incoming } from "./incoming.ts";
import { locally } from "./local-error.ts";
import type { DownloadTreeOptions } from "./options.ts";
import { ProgressTeller } from "./progress.ts";
import type { DownloadTreeResult } from "./results.ts";
import { componentsOf } from "./tar-names.ts";
import { type TarEntry, TarReader } from "./tar-reader.ts";
import { Unpacker } from "./unpacker.ts";
import { firstWindowBytes } from "./window.ts";

/** What is asked for at once, about. */
const askedForBytes = 256 * 1024;

/** Files up to this size are written whole. Less than the window by what the agent may send at once. */
const smallFileBytes = 64 * 1024;

/** See Files.downloadTree(). */
export async function downloadTree(
  session: Session,
  path: string,
  localFolder: string,
  options: DownloadTreeOptions,
): Promise<DownloadTreeResult> {
  if (!session.supports("files")) return await downloadTreeByFile(session, path, localFolder, options);
  const { maxBytes = Infinity, onProgress, signal, stallTimeoutSeconds } = options;
  const request = { path, windowBytes: firstWindowBytes };
  const source = await session.ask(
    "treeGet",
    request,
    { signal, cancel: true },
    (response, messageId): Incoming => {
      checkAnswer(response);
      const { streamId } = response;
      return new Incoming(session, {
        streamId,
        messageId,
        what: path,
        windowBytes: undefined,
        signal,
        stallTimeoutSeconds,
      });
    },
  );
  try {
    const unpacker = await Unpacker.open(localFolder);
    try {
      const reading = new Reading(source, path, maxBytes);
      const progress = new ProgressTeller(onProgress, undefined);
      const counts = await unpackAll(reading, unpacker, progress);
      await unpacker.finish();
      progress.end();
      const { skipped, skippedCount } = source.end;
      return { ...counts, bytes: progress.bytes, skipped, skippedCount };
    } finally {
      await unpacker.stopped();
    }
  } finally {
    source.close();
  }
}

/** The stream as it comes. */
class Reading {
  readonly tar: TarReader;
  readonly #source: Incoming;
  readonly #path: string;
  readonly #mostBytes: number;
  #bytes = 0;
  /** Given to the reader, which has not been asked again since. */
  #untakenBytes = 0;

  constructor(source: Incoming, path: string, mostBytes: number) {
    this.tar = new TarReader(path);
    this.#source = source;
    this.#path = path;
    this.#mostBytes = mostBytes;
  }

  /** Waits for more; false at the end. To be called when the reader has nothing to give. */
  async more(): Promise<boolean> {
    this.#source.taken(this.#untakenBytes);
    this.#untakenBytes = 0;
    const pieces = await this.#source.next(askedForBytes);
    if (pieces === undefined) return false;
    for (const piece of pieces) {
      this.#untakenBytes += piece.length;
      this.tar.push(piece);
    }
    this.#bytes += this.#untakenBytes;
    if (this.#bytes > this.#mostBytes) throw tooLarge(this.#path, this.#mostBytes);
    return true;
  }

  /** All the contents of an entry. */
  async whole(): Promise<Buffer> {
    for (;;) {
      const contents = this.tar.whole();
      if (contents) return contents;
      await this.#moreOfEntry();
    }
  }

  /** The contents of an entry of so many bytes, as they come. */
  async *parts(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = bytes; left > 0;) {
      const part = this.tar.some();
      if (part) {
        left -= part.length;
        yield part;
      } else {
        await this.#moreOfEntry();
      }
    }
  }

  async #moreOfEntry(): Promise<void> {
    if (!(await this.more())) this.tar.end(); // throws
  }
}

interface Counts {
  files: number;
  folders: number;
  links: number;
}

async function unpackAll(reading: Reading, unpacker: Unpacker, progress: ProgressTeller): Promise<Counts> {
  const counts = { files: 0, folders: 0, links: 0 };
  for (;;) {
    const entry = reading.tar.next();
    if (entry) await unpack(entry, reading, unpacker, counts, progress);
    else if (!(await reading.more())) break;
  }
  reading.tar.end();
  return counts;
}

async function unpack(
  entry: TarEntry,
  reading: Reading,
  unpacker: Unpacker,
  counts: Counts,
  progress: ProgressTeller,
): Promise<void> {
  const { name, type, sizeBytes, linkTo } = entry;
  const components = componentsOf(name);
  progress.at(components);
  if (type === "directory") {
    counts.folders++;
    await unpacker.folder(components, entry);
  } else if (components.length === 0) {
    throw new HostError("agent-error", "the agent sent something that is no folder in place of the folder");
  } else if (type === "file" && sizeBytes <= smallFileBytes) {
    counts.files++;
    await unpacker.smallFile(components, entry, await reading.whole());
    progress.add(sizeBytes);
  } else if (type === "file") {
    counts.files++;
    await unpacker.file(components, entry, async (file, place) => {
      let at = 0;
      for await (const part of reading.parts(sizeBytes)) {
        await locally(`write ${place}`, () => writeAll(file, [part], at));
        at += part.length;
        progress.add(part.length);
      }
    });
  } else if (type === "link") {
    counts.files++;
    await unpacker.hardLink(components, componentsOf(linkTo));
  } else if (type === "symlink") {
    counts.links++;
    await unpacker.link(components, linkTo, entry.modifiedAt);
  } else {
    throw new HostError(
      "agent-error",
      `the agent sent ${JSON.stringify(name)}, which is no file, folder or link`,
    );
  }
}
