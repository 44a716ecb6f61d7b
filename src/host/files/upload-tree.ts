import { lstat } from "node:fs/promises";
import { checkAnswer } from "../commands/answer.ts";
import { HostError } from "../errors.ts";
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
  const { owner = "", group = "", keepOwner = false, createParents = false, onProgress, signal } = options;
  // Before the guest makes its folder. A slash, so that a link is followed.
  await locally(`read ${localFolder}`, () => lstat(`${localFolder}/`));
  const { pack } = await import("tar-stream");
  const request = { path, owner: String(owner), group: String(group), keepOwner, createParents };
  const progress = new ProgressTeller(onProgress, undefined);
  const tar = pack();
  const packer = new Packer(tar, localFolder, progress);
  const outgoing = await session.ask(
    "treePut",
    request,
    { signal, cancel: true },
    (response, messageId): Outgoing => {
      checkAnswer(response);
      const { streamId, windowBytes } = response;
      return new Outgoing(session, { streamId, messageId, what: path, windowBytes, signal });
    },
  );
  try {
    const packing = packer.run();
    packing.catch((error: unknown) => {
      tar.destroy(error as Error); // the loop throws it
    });
    const joiner = new Joiner((data) => outgoing.send(data));
    let totalBytes = 0;
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      packer.taken();
      totalBytes += chunk.length;
      await joiner.add(chunk);
    }
    await packing;
    await joiner.flush();
    const { entries } = await outgoing.commit(totalBytes);
    progress.end();
    const { skipped, skippedCount } = packer;
    return { entries, bytes: progress.bytes, skipped, skippedCount };
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError("local-file", `cannot read ${localFolder}: ${String(error)}`, { cause: error });
  } finally {
    outgoing.cancel(); // nothing, when it is committed
    tar.destroy();
    packer.taken(); // it may wait for that
  }
}
