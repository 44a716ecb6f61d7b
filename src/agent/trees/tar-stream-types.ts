// tar-stream names not all of its types.
import type { extract } from "tar-stream";

export type Extract = ReturnType<typeof extract>;
export type Source = Extract extends AsyncIterable<infer S> ? S : never;
