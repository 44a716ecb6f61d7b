import { makeFolder } from "../files/make-folder.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";

const defaultMode = 0o755;

export const createDirectory: Handler<"createDirectory"> = async ({ path, createParents, mode }, context) => {
  const { files } = context.agent;
  const place = absolutePath(path);
  const options = { createParents, mode: mode === 0 ? defaultMode : mode & 0o7777 };
  await files.run(`make the folder ${place}`, () => makeFolder(place, options, files.policy), {
    context,
    audit: { operation: "create_directory", target: place },
    otherwise: "createDirectoryFailed",
  });
  return { success: true };
};
