import { makeLink } from "../files/links.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";

export const createSymlink: Handler<"createSymlink"> = async ({ path, target, replace }, context) => {
  const { files } = context.agent;
  const place = absolutePath(path);
  await files.run(`make the link ${place}`, () => makeLink(place, target, replace, files.policy), {
    context,
    audit: { operation: "create_symlink", target: place },
  });
  return { success: true };
};
