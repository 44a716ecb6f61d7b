import { timestamp } from "../../wire/envelope.ts";
import { checkAnswer } from "../commands/answer.ts";
import type { Session } from "../session.ts";
import { modeField } from "./entries.ts";
import type { AttributesOptions } from "./options.ts";

/** See Files.setAttributes(). */
export async function setAttributes(
  session: Session,
  path: string,
  { mode, owner = "", group = "", modifiedAt, follow = true, signal }: AttributesOptions,
): Promise<void> {
  session.require("files", "setAttributes");
  const request = {
    path,
    mode: modeField(mode),
    owner: String(owner),
    group: String(group),
    ...(modifiedAt && { modifiedAt: timestamp(modifiedAt.getTime()) }),
    noFollow: !follow,
  };
  checkAnswer(await session.request("fileSetAttributes", request, { signal, cancel: true }));
}
