import type { Handler } from "../session/handler.ts";
import { removeKeys } from "../ssh-keys/ssh-keys.ts";
import { meansOf } from "./ssh-key-means.ts";

export const sshKeyRemove: Handler<"sshKeyRemove"> = async ({ username, keys }, context) => ({
  success: true,
  removed: await removeKeys(username, keys, meansOf(context), context),
});
