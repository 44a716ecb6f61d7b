import { listFolder, mostEntries } from "../files/listing.ts";
import { absolutePath } from "../files/path.ts";
import type { Handler } from "../session/handler.ts";

const defaultEntries = 1000;

/** Names that are no UTF-8 are shown with U+FFFD: the protocol's strings can say no more, and such files not be asked for. */
export const listDirectory: Handler<"listDirectory"> = async (request, context) => {
  const { files } = context.agent;
  const place = absolutePath(request.path);
  const options = {
    place,
    after: request.continuationToken,
    most: Math.min(request.maxEntries || defaultEntries, mostEntries),
    hidden: request.includeHidden,
  };
  const page = await files.run(
    `list ${place}`,
    (task) => listFolder(options, files.policy, files.names, task),
    { context, audit: { operation: "list_directory", target: place } },
  );
  return { success: true, entries: page.entries, continuationToken: page.next, totalEntries: page.total };
};
