import { CodedError } from "../../wire/errors.ts";
import { absolutePath } from "../files/path.ts";
import { Watch } from "../files/watch.ts";
import type { Handler } from "../session/handler.ts";
import type { Streams } from "../session/streams.ts";

/** Of one session. */
const mostWatches = 64;

const watches = new WeakMap<Streams, number>();

export const fileWatch: Handler<"fileWatch"> = async (request, context) => {
  const { agent, streams, messageId, signal } = context;
  const { files } = agent;
  const place = absolutePath(request.path);
  const cleanUps = [takePlace(streams)];
  const onEnd = (): void => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
  };
  try {
    const watch = await files.run(
      `watch ${place}`,
      async (task) => {
        const opened = await Watch.open(place, files.policy, streams, onEnd);
        if (task.signal.aborted) opened.end(); // nobody waits for it any more
        return opened;
      },
      { context, audit: { operation: "file_watch", target: place } },
    );
    const end = (): void => {
      watch.end();
    };
    cleanUps.push(streams.open(watch.id, watch, { messageId, cancelled: end, ended: end }));
    context.afterAnswer(() => {
      watch.start();
    });
    if (signal.aborted) end();
    return { success: true, watchId: watch.id };
  } catch (error) {
    onEnd();
    throw error;
  }
};

/** Gives the function that gives it back. Throws CodedError rateLimit. */
function takePlace(streams: Streams): () => void {
  const taken = watches.get(streams) ?? 0;
  if (taken >= mostWatches) {
    throw new CodedError("rateLimit", `${mostWatches} files are watched already; cancel a watch first`);
  }
  watches.set(streams, taken + 1);
  return () => {
    watches.set(streams, (watches.get(streams) ?? 1) - 1);
  };
}
