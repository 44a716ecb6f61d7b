import { entryOfPath } from "../files/listing.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";

/** Also of what may not be read: deny_file_read_paths is about contents. */
export const fileStat: Handler<"fileStat"> = async ({ path, follow }, context) => {
  const { files } = context.agent;
  const place = absolutePath(path);
  const work = (): ReturnType<typeof entryOfPath> => entryOfPath(place, follow, files.names);
  return { success: true, entry: await files.run(`look at ${place}`, work, { context }) };
};
