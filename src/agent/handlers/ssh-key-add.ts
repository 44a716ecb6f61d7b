import type { Handler } from "../session/handler.ts";
import { addKeys } from "../ssh-keys/ssh-keys.ts";
import { meansOf } from "./ssh-key-means.ts";

export const sshKeyAdd: Handler<"sshKeyAdd"> = async ({ username, keys, replace }, context) => ({
  success: true,
  added: await addKeys(username, { keys, replace }, meansOf(context), context),
});
