import path from "node:path";
import { toNumber } from "../../wire/envelope.ts";
import { entryOf } from "../files/entry.ts";
import { close } from "../files/io.ts";
import { openForReading } from "../files/open-file.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";
import { FileSource } from "../transfers/file-source.ts";
import { Sender } from "../transfers/sender.ts";
import { offsetOf } from "./file-fields.ts";

export const fileGet: Handler<"fileGet"> = async (request, context) => {
  const { agent, streams, messageId } = context;
  const { files, transfers } = agent;
  const file = absolutePath(request.path);
  const options = {
    path: file,
    offset: offsetOf(request.offset),
    length: toNumber(request.length),
    version: request.version,
    checksum: request.checksum,
  };
  const giveBack = transfers.reserve();
  try {
    const { source, entry } = await files.run(
      `read ${file}`,
      async ({ signal }) => {
        const opened = await openForReading(file, files.policy);
        const owners = await files.names.of(opened.stats);
        if (signal.aborted) close(opened.fd);
        signal.throwIfAborted();
        return {
          source: new FileSource(opened, options),
          entry: entryOf({ name: path.basename(file), path: file }, opened.stats, owners),
        };
      },
      { context, audit: { operation: "file_get", target: file } },
    );
    const sender = new Sender(streams, messageId, toNumber(request.windowBytes), source, {
      id: transfers.newStreamId(),
      onEnd: giveBack,
    });
    context.afterAnswer(() => {
      sender.start();
    });
    return { success: true, streamId: sender.id, entry };
  } catch (error) {
    giveBack();
    throw error;
  }
};
