import { absolutePath } from "../files/path.ts";
import { remove } from "../files/removal.ts";
import type { Handler } from "../session/handler.ts";

export const fileDelete: Handler<"fileDelete"> = async ({ path, recursive }, context) => {
  const { files } = context.agent;
  const place = absolutePath(path);
  await files.run(`delete ${place}`, (task) => remove(place, recursive, files.policy, task), {
    context,
    audit: { operation: "file_delete", target: place },
    otherwise: "deleteFailed",
    lasting: recursive,
  });
  return { success: true };
};
