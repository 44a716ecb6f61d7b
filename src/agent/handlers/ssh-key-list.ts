import type { Handler } from "../session/handler.ts";
import { listKeys } from "../ssh-keys/ssh-keys.ts";
import { meansOf } from "./ssh-key-means.ts";

export const sshKeyList: Handler<"sshKeyList"> = async ({ username }, context) => {
  const keys = await listKeys(username, meansOf(context), context);
  return {
    success: true,
    keys: keys.map(({ line, type = "", fingerprint = "", comment = "", options = "" }) => ({
      ...{ line, type, fingerprint, comment, options },
    })),
  };
};
