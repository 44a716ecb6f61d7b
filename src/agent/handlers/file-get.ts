import { toNumber } from "../../wire/envelope.ts";
import { entryOf } from "../files/entry.ts";
import { close } from "../files/io.ts";
import { openForReading } from "../files/open-file.ts";
import { ownerNames } from "../files/owners.ts";
import { absolutePath, fileOffset } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";
import { FileSource } from "../transfers/file-source.ts";
import { Sender } from "../transfers/sender.ts";
import path from "node:path";

export const fileGet: Handler<"fileGet"> = async (request, context) => {
  const { agent, streams, messageId, signal } = context;
  const file = absolutePath(request.path);
  const options = {
    path: file,
    offset: fileOffset(request.offset),
    length: toNumber(request.length),
    version: request.version,
    checksum: request.checksum,
  };
  const giveBack = agent.transfers.reserve();
  try {
    const opened = await agent.files.run(
      `read ${file}`,
      () => openForReading(file, agent.files.policy),
      ({ fd }) => {
        close(fd);
      },
    );
    const source = new FileSource(opened, options);
    const owners = await ownerNames(opened.stats);
    if (signal.aborted) source.close();
    signal.throwIfAborted();
    const id = agent.transfers.newStreamId();
    const sender = new Sender(id, streams, messageId, toNumber(request.windowBytes), source, giveBack);
    context.afterAnswer(() => {
      sender.start();
    });
    const entry = entryOf({ name: path.basename(file), path: file }, opened.stats, owners);
    return { success: true, streamId: id, entry };
  } catch (error) {
    giveBack();
    throw error;
  }
};
