import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { AppliedNetwork } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import type { NetworkOptions } from "../commands/network.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { localError } from "../files/local.ts";
import { printable } from "../ui/printable.ts";

/** What the agent takes. */
const maxDocumentBytes = 64 * 1024;

/** How long the agent may take to answer on a connection of its own, after a change. */
const pingSeconds = 10;

/** `network apply`. */
export async function applyNetwork(
  context: Context,
  file: string,
  { confirm, apply }: NetworkOptions,
): Promise<number> {
  if (confirm !== undefined && !apply) throw new UsageError("--confirm and --no-apply exclude each other");
  const document = await readDocument(file);
  const applied = await changed(context, document, { confirmSeconds: confirm, writeOnly: !apply });
  const { backend, changes, confirmation } = applied;
  if (!context.json) for (const line of changes) context.print(printable(line));
  if (confirmation) await confirmed(context, confirmation);
  if (context.json) context.printJson({ backend, changes, confirmed: confirmation !== undefined });
  else if (changes.length === 0) context.print("nothing has changed");
  return exitCode.ok;
}

async function changed(
  context: Context,
  document: string,
  options: { confirmSeconds: number | undefined; writeOnly: boolean },
): Promise<AppliedNetwork> {
  await using client = await context.connect();
  return await client.network.apply(document, { ...context.call, ...options });
}

/** Confirms the change on a new connection; says what becomes of it when it cannot. */
async function confirmed(
  context: Context,
  { token, until }: NonNullable<AppliedNetwork["confirmation"]>,
): Promise<void> {
  try {
    await using client = await context.connect();
    await client.ping({ signal: context.signal, timeoutSeconds: pingSeconds });
    await client.network.confirm(token, context.call);
  } catch (cause) {
    if (!(cause instanceof HostError)) throw cause;
    const { code, agentCode, message } = cause;
    const end = `The change is not confirmed; the guest rolls it back at ${until.toISOString()}`;
    const options = { cause, ...(agentCode !== undefined && { agentCode }) };
    throw new HostError(code, `${message}\n${end}`, options);
  }
}

async function readDocument(file: string): Promise<string> {
  const content = file === "-" ? await textOf(process.stdin) : await readLocal(file);
  if (Buffer.byteLength(content) > maxDocumentBytes) {
    throw new HostError(
      "local-file",
      `${file} has more than the ${maxDocumentBytes} bytes that a document may have`,
    );
  }
  return content;
}

async function readLocal(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw localError(file, error);
  }
}
