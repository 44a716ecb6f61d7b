import { toNumber } from "../../wire/envelope.ts";
import { absolutePath } from "../files/path.ts";
import { type Piece, mostPieceBytes } from "../files/reading.ts";
import type { Response } from "../../wire/operations.ts";
import type { Handler } from "../session/handler.ts";
import { offsetOf } from "./file-fields.ts";

export const fileRead: Handler<"fileRead"> = (request, context) => {
  const { files, config } = context.agent;
  const path = absolutePath(request.path);
  const offset = offsetOf(request.offset);
  const chunkBytes = Math.min(request.chunkSize || config.max_chunk_size, mostPieceBytes);
  const bytes = Math.min(toNumber(request.length) || Infinity, chunkBytes);
  const session = context.streams.sessionName;
  const answer = (piece: Piece): Response<"fileRead"> => {
    context.afterAnswer(() => {
      files.reading.giveBack(piece); // encoding has copied it
    });
    return {
      success: true,
      data: piece.data,
      eof: piece.eof,
      totalSize: piece.sizeBytes,
      offset: request.offset,
      chunkNumber: Math.floor(offset / chunkBytes) % 2 ** 32,
      mode: piece.mode,
      modifiedAt: piece.modifiedAt,
    };
  };
  const cached = files.reading.cached(path, offset, bytes, session);
  if (cached) {
    files.policy.countOperation();
    return answer(cached);
  }
  const end = files.reading.begin();
  return files
    .run(`read ${path}`, () => files.reading.piece(path, offset, bytes, session), {
      context,
      audit: { operation: "file_read", target: path },
      isRecorded: ({ isFirst }) => isFirst,
    })
    .then(answer)
    .finally(end);
};
