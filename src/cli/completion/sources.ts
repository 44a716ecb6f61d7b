import type { Context } from "../context.ts";
import { Deadline } from "../deadline.ts";
import { UsageError } from "../failure.ts";
import { nameStart, separatorOf } from "../files/guest-path.ts";
import { within } from "../files/place.ts";
import { printable } from "../ui/printable.ts";
import type { Sources } from "./candidates.ts";

/** Who presses Tab waits no longer. */
const deadlineSeconds = 2;
const mostPaths = 1000;

/** Names from this host, and from the guest. With LIMIQUANTIX_DEBUG it is told why some are left out. */
export function sourcesOf(context: Context): Sources {
  return {
    get hasTarget() {
      try {
        return Boolean(context.target);
      } catch (error) {
        if (error instanceof UsageError) return false;
        throw error;
      }
    },
    async vms() {
      const { discover } = await import("../../host/index.ts");
      const names = await orNothing(discover({ root: context.root }));
      return showable([...new Set(names.map(({ name }) => name))]);
    },
    async guestPaths(path, vm) {
      const found: string[] = [];
      await orNothing(addPaths(context, path, vm, found));
      return showable(found);
    },
  };
}

/** Adds those that begin with `path` to `found`, as they come. */
async function addPaths(
  context: Context,
  path: string,
  vm: string | undefined,
  found: string[],
): Promise<never[]> {
  using deadline = new Deadline(deadlineSeconds, context.signal);
  const { signal } = deadline;
  const folder = path.slice(0, nameStart(path));
  const start = path.slice(folder.length);
  await using client = await context.inVm(vm).connect({ timeoutSeconds: deadlineSeconds });
  let links = 0;
  for await (const { name, kind } of client.files.list(folder, { hidden: start.startsWith("."), signal })) {
    if (!name.startsWith(start)) continue; // a shell drops what does not begin as it was typed
    if (kind === "symlink") links++;
    found.push(within(folder, name) + (kind === "directory" ? separatorOf(path) : ""));
    if (found.length >= mostPaths) break;
  }
  const [only] = found;
  // Of one alone it matters whether it leads to a folder: a shell that is sure ends the word.
  if (only !== undefined && found.length === 1 && links === 1) {
    if ((await client.files.stat(only, { signal })).kind === "directory") found[0] = only + separatorOf(path);
  }
  return [];
}

/** Those that a shell can show and a line can hold. */
function showable(texts: readonly string[]): string[] {
  return texts.filter((text) => printable(text) === text);
}

/** A shell has no place for errors while a line is being typed. */
async function orNothing<T>(promise: Promise<T[]>): Promise<T[]> {
  try {
    return await promise;
  } catch (error) {
    if (process.env["LIMIQUANTIX_DEBUG"]) console.error(error);
    return [];
  }
}
