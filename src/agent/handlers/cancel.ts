import { CodedError } from "../../wire/errors.ts";
import type { Handler } from "../session/handler.ts";

export const cancel: Handler<"cancel"> = ({ messageId }, { streams }) => {
  if (streams.cancel(messageId)) return { success: true };
  throw new CodedError("badMessageId", `nothing with message_id ${messageId} is under way`);
};
