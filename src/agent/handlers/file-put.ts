import { toNumber } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Request } from "../../wire/operations.ts";
import { isSessionId } from "../../wire/session-id.ts";
import type { Agent } from "../agent.ts";
import { ownerIds } from "../files/owner.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";
import { receiveWindowBytes } from "../transfers/receiver.ts";
import { resolveTarget } from "../transfers/target.ts";
import { Upload, type UploadOptions } from "../transfers/upload.ts";

export const filePut: Handler<"filePut"> = async (request, context) => {
  const { files, transfers } = context.agent;
  const file = absolutePath(request.path);
  const uploadId = uploadIdOf(request) ?? transfers.newUploadId();
  const giveBack = transfers.reserve();
  try {
    await transfers.clean();
    const begin = async (signal: AbortSignal): Promise<{ streamId: string; receivedBytes: number }> => {
      signal.throwIfAborted();
      const options = await optionsOf(file, request, context.agent);
      const target = await resolveTarget(file, files.policy, request);
      const upload = await Upload.begin(uploadId, transfers.journal, target, options, request);
      if (signal.aborted) await transfers.giveUp(uploadId, upload);
      signal.throwIfAborted();
      const { receivedBytes } = upload;
      return { streamId: transfers.receive(context, uploadId, upload, giveBack), receivedBytes };
    };
    const begun = await files.run(
      `write ${file}`,
      ({ signal }) => transfers.exclusively(uploadId, () => begin(signal)),
      { context, audit: { operation: "file_put", target: file } },
    );
    return { success: true, ...begun, windowBytes: receiveWindowBytes };
  } catch (error) {
    giveBack();
    throw error;
  }
};

function uploadIdOf({ uploadId, resume }: Request<"filePut">): string | undefined {
  if (uploadId === "") {
    if (resume) throw new CodedError("invalidMessage", "to resume an upload takes its upload_id");
    return undefined;
  }
  if (isSessionId(uploadId)) return uploadId;
  throw new CodedError("invalidMessage", "upload_id must be 16 to 64 characters of A-Z a-z 0-9 _ -");
}

async function optionsOf(path: string, request: Request<"filePut">, agent: Agent): Promise<UploadOptions> {
  const { mode, modifiedAt, sparse, version, exclusive, uploadId } = request;
  return {
    path,
    mode: mode === 0 ? undefined : mode & 0o7777,
    ...(await ownerIds(request.owner, request.group)),
    modifiedAt: modifiedAt ? toNumber(modifiedAt.seconds ?? 0) + (modifiedAt.nanos ?? 0) / 1e9 : undefined,
    sparse,
    version,
    exclusive,
    resumable: uploadId !== "",
    names: agent.files.names,
  };
}
