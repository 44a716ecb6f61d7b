import { toNumber } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Request } from "../../wire/operations.ts";
import { isSessionId } from "../../wire/session-id.ts";
import { ownerNumbers } from "../files/owners.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";
import { Receiver, receiveWindowBytes } from "../transfers/receiver.ts";
import { resolveTarget } from "../transfers/target.ts";
import { Upload, type UploadOptions } from "../transfers/upload.ts";

export const filePut: Handler<"filePut"> = async (request, context) => {
  const { agent, streams, messageId, signal } = context;
  const { files, transfers } = agent;
  const file = absolutePath(request.path);
  const uploadId = uploadIdOf(request) ?? transfers.newUploadId();
  const giveBack = transfers.reserve();
  try {
    await transfers.clean();
    const options = await optionsOf(file, request);
    await transfers.takeOver(uploadId);
    const upload = await files.run(
      `write ${file}`,
      async () => {
        const target = await resolveTarget(file, files.policy, request);
        return await Upload.begin(uploadId, transfers.journal, target, options, request);
      },
      (late) => void late.close("given-up"),
    );
    if (signal.aborted) await upload.close("given-up");
    signal.throwIfAborted();
    const receivedBytes = upload.receivedBytes;
    const id = transfers.newStreamId();
    const receiver = new Receiver(id, streams, messageId, upload, (error) => {
      transfers.remove(incoming, error, error !== undefined && upload.isKept);
      giveBack();
    });
    const incoming = { streams, receiver, uploadId };
    transfers.add(incoming);
    return { success: true, streamId: id, receivedBytes, windowBytes: receiveWindowBytes };
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

async function optionsOf(path: string, request: Request<"filePut">): Promise<UploadOptions> {
  const { mode, modifiedAt, sparse, version, exclusive, uploadId } = request;
  const { uid, gid } = await ownerNumbers(request.owner, request.group);
  return {
    path,
    mode: mode === 0 ? undefined : mode & 0o7777,
    uid,
    gid,
    modifiedAt: modifiedAt ? toNumber(modifiedAt.seconds ?? 0) + (modifiedAt.nanos ?? 0) / 1e9 : undefined,
    sparse,
    version,
    exclusive,
    resumable: uploadId !== "",
  };
}
