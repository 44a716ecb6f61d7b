import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { printable, printableText } from "../ui/printable.ts";

/** `network show`. */
export async function showNetwork(context: Context): Promise<number> {
  await using client = await context.connect();
  const state = await client.network.show(context.call);
  if (context.json) {
    context.printJson(state);
    return exitCode.ok;
  }
  const { list } = await import("../ui/list.ts");
  const { backend, document, effective, confirmUntil, canRollBack } = state;
  context.print(
    list([
      ["carried out by", printable(backend)],
      ["waits for confirmation", confirmUntil ? `until ${confirmUntil.toISOString()}` : ""],
      ["rollback", canRollBack ? "possible" : "nothing to go back to"],
      ["configured", printableText(document.trimEnd())],
      ["in force", printableText(effective.trimEnd())],
    ]),
  );
  return exitCode.ok;
}

/** `network rollback`. */
export async function rollNetworkBack(context: Context): Promise<number> {
  await using client = await context.connect();
  const changes = await client.network.rollBack(context.call);
  if (context.json) context.printJson({ changes });
  else if (changes.length === 0) context.print("nothing has changed");
  else for (const line of changes) context.print(printable(line));
  return exitCode.ok;
}
