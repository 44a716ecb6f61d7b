import { CodedError } from "../../wire/errors.ts";
import type { Request } from "../../wire/operations.ts";
import { Folder } from "../files/folder.ts";
import { makeFolder } from "../files/make-folder.ts";
import { ownerIds, unchanged } from "../files/owner.ts";
import { absolutePath } from "../files/path.ts";
import { temporaryName } from "../files/temporary.ts";
import type { PathPolicy } from "../policy/path-policy.ts";
import type { Handler } from "../session/handler.ts";
import { receiveWindowBytes } from "../transfers/receiver.ts";
import { TreeSink } from "../transfers/tree-sink.ts";

const folderMode = 0o755;

export const treePut: Handler<"treePut"> = async (request, context) => {
  const { files, transfers } = context.agent;
  const { policy } = files;
  const path = absolutePath(request.path);
  const id = transfers.newUploadId();
  const giveBack = transfers.reserve();
  try {
    await transfers.clean();
    const sink = await files.run(
      `write the tree ${path}`,
      async ({ signal }) => {
        const ownership = await ownershipOf(request);
        const folder = await openOrMake(path, request, policy);
        const prefix = `${temporaryName()}-`;
        const options = { policy, prefix, ...ownership };
        const begun = await TreeSink.begin(id, transfers.journal, folder, path, options);
        if (signal.aborted) await begun.close();
        signal.throwIfAborted();
        return begun;
      },
      { context, audit: { operation: "tree_put", target: path } },
    );
    const streamId = transfers.receive(context, id, sink, giveBack);
    return { success: true, streamId, windowBytes: receiveWindowBytes };
  } catch (error) {
    giveBack();
    throw error;
  }
};

async function openOrMake(
  path: string,
  { createParents }: { createParents: boolean },
  policy: PathPolicy,
): Promise<Folder> {
  try {
    await makeFolder(path, { createParents, mode: folderMode }, policy);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== "fileExists") throw error;
  }
  const folder = await Folder.open(path);
  try {
    await policy.checkWrite(folder.realPath);
    return folder;
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** A group without an owner, or the other way round, is the agent's for the rest. */
async function ownershipOf({ owner, group, keepOwner }: Request<"treePut">) {
  const { uid, gid } = await ownerIds(owner, group);
  if (uid === unchanged && gid === unchanged) return { keepOwner };
  return { keepOwner: false, owner: { uid, gid } };
}
