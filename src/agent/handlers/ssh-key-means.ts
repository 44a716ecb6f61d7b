import { accountOf } from "../platform/index.ts";
import type { RequestContext } from "../session/handler.ts";
import type { Means } from "../ssh-keys/ssh-keys.ts";

export function meansOf({ agent, log }: RequestContext): Means {
  const { files, audit, tools } = agent;
  return { files, audit, tools, accountOf, log };
}
