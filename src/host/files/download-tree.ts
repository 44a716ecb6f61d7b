import type { FileHandle } from "node:fs/promises";
import type { Extract, Header } from "tar-stream";
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
import { Unpacker } from "./unpacker.ts";
import { firstWindowBytes } from "./window.ts";

/** An entry as the parser gives it: its contents are to be read, or resume()d, before the next comes. */
interface Entry extends AsyncIterable<Buffer> {
  header: Partial<Header> & Pick<Header, "name">;
  resume(): void;
}

/** What is asked for at once, about. */
const askedForBytes = 256 * 1024;

/** See Files.downloadTree(). */
export async function downloadTree(
  session: Session,
  path: string,
  localFolder: string,
  options: DownloadTreeOptions,
): Promise<DownloadTreeResult> {
  if (!session.supports("files")) return await downloadTreeByFile(session, path, localFolder, options);
  const { maxBytes = Infinity, onProgress, signal } = options;
  const { extract } = await import("tar-stream");
  const request = { path, windowBytes: firstWindowBytes };
  const source = await session.ask(
    "treeGet",
    request,
    { signal, cancel: true },
    (response, messageId): Incoming => {
      checkAnswer(response);
      const { streamId } = response;
      return new Incoming(session, { streamId, messageId, what: path, windowBytes: undefined, signal });
    },
  );
  const parser = extract();
  try {
    const unpacker = await Unpacker.open(localFolder);
    const counts = { files: 0, folders: 0, links: 0 };
    const progress = new ProgressTeller(onProgress, undefined);
    const feeding = feed(source, parser, path, maxBytes);
    feeding.catch((error: unknown) => {
      parser.destroy(error as Error); // the loop throws it
    });
    for await (const entry of parser as AsyncIterable<unknown> as AsyncIterable<Entry>) {
      await unpack(entry, unpacker, counts, progress);
    }
    await feeding;
    await unpacker.finish();
    progress.end();
    const { skipped, skippedCount } = source.end;
    return { ...counts, bytes: progress.bytes, skipped, skippedCount };
  } catch (error) {
    throw error instanceof HostError ? error : brokenTree(path, error);
  } finally {
    source.close();
    parser.destroy();
  }
}

/** Gives the parser what comes, as fast as it takes it. */
async function feed(source: Incoming, parser: Extract, path: string, mostBytes: number): Promise<void> {
  let bytes = 0;
  for (
    let pieces = await source.next(askedForBytes);
    pieces !== undefined;
    pieces = await source.next(askedForBytes)
  ) {
    for (const piece of pieces) {
      if (parser.destroyed) return;
      bytes += piece.length;
      if (bytes > mostBytes) throw tooLarge(path, mostBytes);
      if (!parser.write(piece)) await drained(parser);
      source.taken(piece.length);
    }
  }
  parser.end(undefined);
}

/** Resolves too when it is destroyed. */
function drained(parser: Extract): Promise<void> {
  return new Promise((resolve) => {
    if (parser.destroyed) resolve();
    const done = (): void => {
      parser.off("drain", done);
      parser.off("close", done);
      resolve();
    };
    parser.on("drain", done);
    parser.on("close", done);
  });
}

async function unpack(
  entry: Entry,
  unpacker: Unpacker,
  counts: { files: number; folders: number; links: number },
  progress: ProgressTeller,
): Promise<void> {
  const { name, type, mode = 0, linkname } = entry.header;
  const components = componentsOf(name);
  progress.at(components.join("/"));
  const facts = { mode, modifiedAt: timeOf(entry.header) };
  if (type === "directory") {
    counts.folders++;
    await unpacker.folder(components, facts);
  } else if (components.length === 0) {
    throw new HostError("agent-error", "the agent sent something that is no folder in place of the folder");
  } else if (type === "file" || type === "contiguous-file") {
    counts.files++;
    await unpacker.file(components, facts, (file, place) => writeEntry(file, place, entry, progress));
  } else if (type === "link") {
    counts.files++;
    await unpacker.hardLink(components, componentsOf(linkname ?? ""));
  } else if (type === "symlink") {
    counts.links++;
    await unpacker.link(components, linkname ?? "", facts.modifiedAt);
  } else {
    throw new HostError(
      "agent-error",
      `the agent sent ${JSON.stringify(name)}, which is a ${type ?? "riddle"}`,
    );
  }
  entry.resume(); // what is left of it: nothing
}

async function writeEntry(
  file: FileHandle,
  place: string,
  entry: Entry,
  progress: ProgressTeller,
): Promise<void> {
  let at = 0;
  for await (const chunk of entry) {
    await locally(`write ${place}`, () => writeAll(file, [chunk], at));
    at += chunk.length;
    progress.add(chunk.length);
  }
}

/** To the millisecond where the guest tells it; now where it tells none, or one that cannot be. */
function timeOf({ mtime, pax }: Entry["header"]): Date {
  const seconds = (pax as Partial<Record<string, string>> | null | undefined)?.["mtime"];
  const date = seconds === undefined ? mtime : new Date(Math.round(Number(seconds) * 1000));
  return date === undefined || Number.isNaN(date.getTime()) ? new Date() : date;
}

function brokenTree(path: string, cause: unknown): HostError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new HostError("agent-error", `what the agent sent of ${path} is no tar stream: ${text}`, { cause });
}
