import { chmod } from "node:fs/promises";
import type { FileInfo } from "../../host/index.ts";
import { HostError } from "../../host/errors.ts";
import { codeText } from "../../wire/errors.ts";
import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { DraftFolder } from "../files/draft.ts";
import { runEditor } from "../files/editor.ts";
import { type Guest, hasAgentCode, inGuest, onPath, timeoutOfFiles } from "../files/guest.ts";
import { endsAsFolder, nameStart } from "../files/guest-path.ts";
import { guestPlaceOf, lastName } from "../files/place.ts";
import { statIfThere } from "../files/target.ts";

export const edit = defineCommand({
  usage: "edit <path>",
  summary: "edit a file of a VM",
  description:
    "Opens a copy in $VISUAL, or $EDITOR, or vi, and writes it back when the editor ends well and has changed it: as a " +
    "whole, with the mode and the owner that the file had. A file that is not there is made. When the file was changed " +
    "in the guest meanwhile, or cannot be written, the copy is kept here and its path is told.\n\n" +
    "While the editor runs, nobody is connected to the VM.",
  examples: [
    ["limiquantix-ctl edit web1:/etc/hosts", ""],
    ["EDITOR='code --wait' limiquantix-ctl edit --vm web1 /etc/fstab", "an editor with options"],
    ['EDITOR="sed -i s/8080/80/" limiquantix-ctl edit web1:/etc/app.conf', "by a program"],
  ],
  timeout: `${timeoutOfFiles}; of reading and of writing, not of the editor`,
  completes: "guest-path",
  async run(context, _options, text = "") {
    const place = guestPlaceOf(text);
    const name = lastName(place.path);
    if (name === "" || endsAsFolder(place.path)) {
      throw new HostError("local-file", `${place.path} names no file`);
    }
    using draft = await DraftFolder.make(name);
    const before = await inGuest(context, place.vm, (guest) => read(guest, place.path, draft.file));
    const untouched = await draft.fingerprint();
    const end = await runEditor(context, draft.file);
    const edited = await draft.fingerprint();
    const changed = edited !== undefined && edited !== untouched;
    if (changed) draft.keep();
    if (end !== exitCode.ok) {
      if (changed) context.note(`your copy is kept: ${draft.file}`);
      return end;
    }
    if (changed) {
      try {
        await inGuest(context, place.vm, (guest) => writeBack(guest, place.path, draft.file, before));
      } catch (error) {
        context.note(`your copy is kept: ${draft.file}`);
        throw error;
      }
      draft.discard();
    }
    if (!changed) context.note(`${place.path} is not changed`);
    if (context.json) context.printJson({ path: place.path, changed });
    return exitCode.ok;
  },
});

/** Copies the file to `draft`, and gives what it was then; undefined when there is none. */
async function read(guest: Guest, path: string, draft: string): Promise<FileInfo | undefined> {
  const { files, signal } = guest;
  return await onPath(path, async () => {
    const info = await statIfThere(guest, path);
    if (info === undefined) {
      await files.stat(path.slice(0, nameStart(path)), { signal }); // without a folder it cannot be made
      return undefined;
    }
    if (info.kind !== "file") throw new HostError("agent-error", `${path} is no regular file: ${info.kind}`);
    const downloaded = await files.download(path, draft, { signal });
    await chmod(draft, 0o600); // one that nobody may write in the guest is edited all the same
    return downloaded.info;
  });
}

/** Rejects with a HostError when the file is not what it was before, or cannot be written; it is as it was then. */
async function writeBack(
  guest: Guest,
  path: string,
  draft: string,
  before: FileInfo | undefined,
): Promise<void> {
  const { files, signal } = guest;
  try {
    if (before?.version === "") await checkUnchanged(guest, path, before);
    await files.upload(draft, path, {
      ...(before === undefined
        ? { exclusive: true }
        : { version: before.version || undefined, mode: before.mode || undefined }),
      signal,
    });
  } catch (cause) {
    if (!hasAgentCode(cause, codeText("fileChanged"), codeText("fileExists"))) throw cause;
    throw new HostError(cause.code, `${path} has been changed in the guest meanwhile, and stays so`, {
      cause,
      agentCode: codeText("fileChanged"),
    });
  }
}

/** For agents of an earlier generation, whose files have no version. */
async function checkUnchanged(guest: Guest, path: string, before: FileInfo): Promise<void> {
  const now = await statIfThere(guest, path);
  const isSame =
    now?.sizeBytes === before.sizeBytes && now.modifiedAt.getTime() === before.modifiedAt.getTime();
  if (isSame) return;
  throw new HostError("agent-error", `${path} is another`, { agentCode: codeText("fileChanged") });
}
