import { toNumber } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import { fileError } from "../files/file-error.ts";
import type { Handler } from "../session/handler.ts";

const sha256Bytes = 32;

export const transferCommit: Handler<"transferCommit"> = async (request, { agent, streams }) => {
  const { streamId, sha256 } = request;
  if (sha256.length !== 0 && sha256.length !== sha256Bytes) {
    throw new CodedError("invalidMessage", `a SHA-256 has ${sha256Bytes} bytes, not ${sha256.length}`);
  }
  const receiver = agent.transfers.receiver(streams, streamId);
  const { target } = receiver;
  return await agent.audit.around(
    { streams },
    { operation: "transfer_commit", target },
    "internal",
    async () => {
      try {
        return {
          success: true,
          ...(await receiver.commit(toNumber(request.totalBytes), Buffer.from(sha256))),
        };
      } catch (error) {
        throw fileError(error, `write ${target}`);
      }
    },
  );
};
