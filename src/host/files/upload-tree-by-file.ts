import { lstat, opendir } from "node:fs/promises";
import nodePath from "node:path";
import { codeText } from "../../wire/errors.ts";
import { HostError } from "../errors.ts";
import type { Session } from "../session.ts";
import { mostTold } from "./download-tree-by-file.ts";
import { mkdir } from "./entries.ts";
import { isErrno, locally } from "./local-error.ts";
import type { UploadTreeOptions } from "./options.ts";
import { ProgressTeller } from "./progress.ts";
import type { UploadTreeResult } from "./results.ts";
import { upload } from "./upload.ts";

/** As uploadTree(), with agents that have no streams: folder by folder, and file by file. Links cannot be made. */
export async function uploadTreeByFile(
  session: Session,
  localFolder: string,
  path: string,
  { owner, group, keepOwner, createParents = false, onProgress, signal }: UploadTreeOptions,
): Promise<UploadTreeResult> {
  if (owner !== undefined || group !== undefined || keepOwner) session.require("files", "setting owners");
  const result: UploadTreeResult = { entries: 0, bytes: 0, skipped: [], skippedCount: 0 };
  const progress = new ProgressTeller(onProgress, undefined);

  const skip = (name: string, why: string): void => {
    result.skippedCount++;
    if (result.skipped.length < mostTold) result.skipped.push(`${name}: ${why}`);
  };

  const copyOne = async (name: string): Promise<void> => {
    const place = nodePath.join(localFolder, name);
    const target = `${path.replace(/\/$/, "")}/${name}`;
    const stats = await lstat(place);
    if (stats.isDirectory()) {
      result.entries++;
      await mkdir(session, target, { recursive: true, mode: stats.mode & 0o7777 || undefined, signal });
      await copyFolder(name);
    } else if (stats.isFile()) {
      result.entries++;
      progress.at(name);
      const mode = stats.mode & 0o7777 || undefined;
      const before = progress.bytes;
      await upload(session, place, target, {
        mode,
        signal,
        onProgress: ({ bytes }) => {
          progress.add(before + bytes - progress.bytes);
        },
      });
    } else {
      skip(name, stats.isSymbolicLink() ? "this agent makes no links" : "no file, folder or link");
    }
  };

  const copyFolder = async (above: string): Promise<void> => {
    const place = nodePath.join(localFolder, above);
    for await (const { name: entry } of await locally(`read ${place}`, () => opendir(place))) {
      const name = above ? `${above}/${entry}` : entry;
      try {
        await copyOne(name);
      } catch (error) {
        if (!isErrno(error, "ENOENT")) throw error;
        skip(name, (error as Error).message); // it has gone meanwhile
      }
    }
  };

  // A slash, so that a link is followed.
  await locally(`read ${localFolder}`, () => lstat(`${localFolder}/`));
  await mkdir(session, path, { recursive: createParents, signal }).catch((error: unknown) => {
    const isThere = error instanceof HostError && error.agentCode === codeText("fileExists");
    if (!isThere) throw error;
  });
  await copyFolder("");
  progress.end();
  return { ...result, bytes: progress.bytes };
}
