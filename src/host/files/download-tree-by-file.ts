import type { Session } from "../session.ts";
import { appendAll, tooLarge } from "./append.ts";
import type { FileInfo } from "./file-info.ts";
import { list } from "./list.ts";
import type { DownloadTreeOptions } from "./options.ts";
import { ProgressTeller } from "./progress.ts";
import type { DownloadTreeResult } from "./results.ts";
import { openSource } from "./source.ts";
import { HostError } from "../errors.ts";
import { componentsOf } from "./tar-names.ts";
import type { EntryFacts } from "./placing.ts";
import { Unpacker } from "./unpacker.ts";

/** Of what is left out, so many are told. */
export const mostTold = 100;

/** A guest could have folders in folders without end; Linux has no longer paths than 4 KiB. */
const deepest = 2048;

/** As downloadTree(), with agents that have no streams: folder by folder, and file by file. */
export async function downloadTreeByFile(
  session: Session,
  path: string,
  localFolder: string,
  { maxBytes = Infinity, onProgress, signal }: DownloadTreeOptions,
): Promise<DownloadTreeResult> {
  const result: DownloadTreeResult = {
    files: 0,
    folders: 1,
    links: 0,
    bytes: 0,
    skipped: [],
    skippedCount: 0,
  };
  const progress = new ProgressTeller(onProgress, undefined);
  const unpacker = await Unpacker.open(localFolder);

  const copyFile = async (info: FileInfo, at: string, components: readonly string[]): Promise<void> => {
    const { source } = await openSource(session, at, { signal });
    try {
      await unpacker.file(components, factsOf(info), async (file, localPath) => {
        const mostBytes = maxBytes - progress.bytes;
        if (mostBytes < 0) throw tooLarge(path, maxBytes);
        await appendAll(file, localPath, source, { at: 0, mostBytes, hash: undefined, progress });
      });
    } finally {
      source.close();
    }
  };

  const copyFolder = async (folder: string, above: readonly string[]): Promise<void> => {
    if (above.length > deepest) throw new HostError("agent-error", `${path} has folders without end`);
    for await (const info of list(session, folder, { signal })) {
      const components = [...above, ...componentsOf(info.name)];
      const at = `${folder.replace(/\/$/, "")}/${info.name}`;
      progress.at(components.join("/"));
      if (info.kind === "directory") {
        result.folders++;
        await unpacker.folder(components, factsOf(info));
        await copyFolder(at, components);
      } else if (info.kind === "symlink") {
        result.links++;
        await unpacker.link(components, info.symlinkTarget, factsOf(info).modifiedAt);
      } else if (info.kind === "file") {
        result.files++;
        await copyFile(info, at, components);
      } else {
        result.skippedCount++;
        if (result.skipped.length < mostTold) result.skipped.push(`${at}: a ${info.kind}`);
      }
    }
  };

  await copyFolder(path, []);
  await unpacker.finish();
  progress.end();
  return { ...result, bytes: progress.bytes };
}

function factsOf({ mode, modifiedAt }: FileInfo): EntryFacts {
  return { mode, modifiedAt: modifiedAt.getTime() / 1000 };
}
