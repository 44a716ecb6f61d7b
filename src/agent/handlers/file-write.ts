import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";
import { offsetOf } from "./file-fields.ts";

export const fileWrite: Handler<"fileWrite"> = async (request, context) => {
  const { files } = context.agent;
  const path = absolutePath(request.path);
  const { append, chunkNumber, mode, createParents, sparse } = request;
  const offset = append ? 0 : offsetOf(request.offset);
  const isFirst = !append && chunkNumber === 0 && offset === 0;
  const session = context.streams.sessionName;
  const { data, before, end } = files.writing.begin(path, request.data, session);
  const piece = { path, data, offset, append, isFirst, isLast: request.eof, mode, createParents, sparse };
  const state = { hasBegun: false };
  const work = async (): Promise<{ isFirst: boolean }> => {
    state.hasBegun = true;
    try {
      return await files.writing.piece(piece, session);
    } finally {
      end();
    }
  };
  try {
    await files.run(`write ${path}`, work, {
      context,
      before,
      audit: { operation: "file_write", target: path },
      isRecorded: (written) => written.isFirst,
    });
  } finally {
    if (!state.hasBegun) end();
  }
  return { success: true, bytesWritten: data.length, chunkNumber };
};
