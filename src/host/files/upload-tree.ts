import { lstat } from "node:fs/promises";
import { checkAnswer } from "../commands/answer.ts";
import type { Session } from "../session.ts";
import { Joiner } from "./joiner.ts";
import type { UploadTreeOptions } from "./options.ts";
import { locally } from "./local-error.ts";
import { Outgoing } from "./outgoing.ts";
import { Packer } from "./packer.ts";
import { ProgressTeller } from "./progress.ts";
import type { UploadTreeResult } from "./results.ts";
import { uploadTreeByFile } from "./upload-tree-by-file.ts";

/** See Files.uploadTree(). */
export async function uploadTree(
  session: Session,
  localFolder: string,
  path: string,
  options: UploadTreeOptions,
): Promise<UploadTreeResult> {
  if (!session.supports("files")) return await uploadTreeByFile(session, localFolder, path, options);
  const { owner = "", group = "", keepOwner = false, createParents = false } = options;
  const { onProgress, signal, stallTimeoutSeconds } = options;
  // Before the guest makes its folder. A slash, so that a link is followed.
  await locally(`read ${localFolder}`, () => lstat(`${localFolder}/`));
  const request = { path, owner: String(owner), group: String(group), keepOwner, createParents };
  const outgoing = await session.ask(
    "treePut",
    request,
    { signal, cancel: true },
    (response, messageId): Outgoing => {
      checkAnswer(response);
      const { streamId, windowBytes } = response;
      return new Outgoing(session, {
        streamId,
        messageId,
        what: path,
        windowBytes,
        signal,
        stallTimeoutSeconds,
      });
    },
  );
  try {
    const progress = new ProgressTeller(onProgress, undefined);
    const joiner = new Joiner((buffer, dataBytes, taken) => outgoing.sendInPlace(buffer, dataBytes, taken));
    const packer = new Packer(localFolder, joiner, outgoing, progress);
    await packer.run();
    const { entries } = await outgoing.commit(packer.totalBytes);
    progress.end();
    const { skipped, skippedCount } = packer;
    return { entries, bytes: progress.bytes, skipped, skippedCount };
  } finally {
    outgoing.cancel(); // nothing, when it is committed
  }
}
