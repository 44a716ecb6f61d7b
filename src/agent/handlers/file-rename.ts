import { absolutePath } from "../files/path.ts";
import { relocate } from "../files/relocation.ts";
import type { Handler } from "../session/handler.ts";

export const fileRename: Handler<"fileRename"> = async (request, context) => {
  const { files } = context.agent;
  const from = absolutePath(request.from);
  const to = absolutePath(request.to);
  await files.run(`rename ${from} to ${to}`, () => relocate(from, to, request.noReplace, files.policy), {
    context,
    audit: { operation: "file_rename", target: `${from} → ${to}` },
    otherwise: "renameFailed",
  });
  return { success: true };
};
