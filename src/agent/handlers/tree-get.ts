import { toNumber } from "../../wire/envelope.ts";
import { Folder } from "../files/folder.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";
import { Sender } from "../transfers/sender.ts";
import { TreeSource } from "../transfers/tree-source.ts";

export const treeGet: Handler<"treeGet"> = async (request, context) => {
  const { files, transfers } = context.agent;
  const path = absolutePath(request.path);
  const giveBack = transfers.reserve();
  try {
    const source = await files.run(
      `read the tree ${path}`,
      async ({ signal }) => {
        const folder = await Folder.open(path);
        try {
          await files.policy.checkRead(folder.realPath);
          signal.throwIfAborted();
        } catch (error) {
          folder.close();
          throw error;
        }
        return new TreeSource(folder, path, files.policy);
      },
      { context, audit: { operation: "tree_get", target: path } },
    );
    const { streams, messageId } = context;
    const sender = new Sender(streams, messageId, toNumber(request.windowBytes), source, {
      id: transfers.newStreamId(),
      onEnd: giveBack,
    });
    context.afterAnswer(() => {
      sender.start();
    });
    return { success: true, streamId: sender.id };
  } catch (error) {
    giveBack();
    throw error;
  }
};
