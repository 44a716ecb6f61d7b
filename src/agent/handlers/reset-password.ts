import type { Handler } from "../session/handler.ts";
import { shownName } from "../users/user-name.ts";

export const resetPassword: Handler<"resetPassword"> = async (request, context) => {
  const { username: user, newPassword: secret, hashed, expire } = request;
  // Strings cannot be overwritten, but this one need not live as long as the request.
  request.newPassword = "";
  const { audit, passwords } = context.agent;
  await audit.around(context, { operation: "reset_password", target: shownName(user) }, "password", () =>
    passwords.set({ user, secret, hashed, expire }, context.signal),
  );
  return { success: true };
};
