import { copyFile } from "../files/copying.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";

export const fileCopy: Handler<"fileCopy"> = async (request, context) => {
  const { files } = context.agent;
  const from = absolutePath(request.from);
  const to = absolutePath(request.to);
  const bytes = await files.run(
    `copy ${from} to ${to}`,
    (task) => copyFile(from, to, request, files.policy, task),
    { context, audit: { operation: "file_copy", target: `${from} → ${to}` }, lasting: true },
  );
  return { success: true, bytes };
};
