import { HostError } from "../errors.ts";
import { checkAnswer } from "../commands/answer.ts";
import type { Session } from "../session.ts";
import { type FileInfo, fileInfo } from "./file-info.ts";
import type { FileOptions } from "./options.ts";

/** See Files.list(). */
export async function* list(
  session: Session,
  path: string,
  { hidden = true, signal }: FileOptions & { hidden?: boolean | undefined },
): AsyncGenerator<FileInfo, void, undefined> {
  let continuationToken = "";
  do {
    const request = { path, includeHidden: hidden, continuationToken };
    const response = await session.request("listDirectory", request, { signal, cancel: true });
    checkAnswer(response);
    for (const entry of response.entries) {
      if (!isEntryName(entry.name)) {
        const name = JSON.stringify(entry.name);
        throw new HostError(
          "agent-error",
          `the agent says that ${path} has an entry ${name}, which cannot be`,
        );
      }
      yield fileInfo(entry, path);
    }
    if (response.continuationToken !== "" && response.entries.length === 0) {
      throw new HostError("agent-error", `the agent says that ${path} has more entries, and gives none`);
    }
    continuationToken = response.continuationToken;
  } while (continuationToken !== "");
}

/** Whether a folder can have an entry of this name. The guest is not trusted. */
export function isEntryName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}
