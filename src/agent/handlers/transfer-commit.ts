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
  const record = { operation: "transfer_commit", target, session: streams.sessionName };
  try {
    const result = await receiver.commit(toNumber(request.totalBytes), Buffer.from(sha256));
    agent.files.audit.record({ ...record, outcome: "done" });
    return { success: true, ...result };
  } catch (error) {
    const told = fileError(error, `write ${target}`);
    agent.files.audit.record({ ...record, outcome: "refused", error: told.wireText });
    throw told;
  }
};
