import type { FileInfo } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import { exitCode } from "../exit-codes.ts";
import { blocks } from "../files/blocks.ts";
import { forPrograms } from "../files/facts.ts";
import { type Guest, inGuest, isOfOneFile, onPath, timeoutOfFiles } from "../files/guest.ts";
import { guestPlaceOf } from "../files/place.ts";
import { write } from "../ui/output.ts";
import { jsonLine } from "../ui/printable.ts";
import { outputColumns } from "../ui/terminal.ts";

interface LsOptions {
  long?: boolean;
  all?: boolean;
  humanReadable?: boolean;
  /** Commander's name for --one-per-line. */
  onePerLine?: boolean;
}

/** So many are aligned with each other, and are in memory. */
const blockLength = { long: 1000, columns: 10_000, lines: 100 } as const;

export const ls = defineCommand<LsOptions>({
  usage: "ls <path>",
  summary: "list a folder of a VM",
  description:
    "In columns on a terminal, else a name a line. Characters of a name that a terminal would obey are shown as \\x1b. " +
    "With --json one object for each entry, a line each. Times are those of this host's clock and zone.",
  examples: [
    ["limiquantix-ctl ls web1:/etc", ""],
    ["limiquantix-ctl ls -lah web1:/var/log", "with hidden ones, and sizes in KiB, MiB, …"],
    ["limiquantix-ctl ls --json web1:/srv | jq -r 'select(.sizeBytes > 1e9).path'", "the large ones"],
  ],
  timeout: timeoutOfFiles,
  completes: "guest-path",
  options(command) {
    command
      .option("-l, --long", "with mode, links, owner, group, size and time")
      .option("-a, --all", "names that begin with a dot too")
      .option("-h, --human-readable", "with --long: sizes in units")
      .option("-1, --one-per-line", "one name a line on a terminal too");
  },
  async run(context, options, text = "") {
    const place = guestPlaceOf(text);
    return await inGuest(context, place.vm, async (guest) => {
      await onPath(place.path, () => list(guest, place.path, options));
      return exitCode.ok;
    });
  },
});

async function list(guest: Guest, path: string, options: LsOptions): Promise<void> {
  const { context, files, signal } = guest;
  const { all: hidden = false } = options;
  const only = await notFolder(guest, path);
  const entries = only === undefined ? files.list(path, { hidden, signal }) : once(only);
  const format = context.json ? asJson : await asText(options);
  for await (const block of blocks(entries, format.blockLength)) {
    await write(format.lines(block).join("\n") + "\n", signal);
  }
}

/** The file, if `path` is none of a folder. A link to a folder is one; a link to nothing is a file. */
async function notFolder({ files, signal }: Guest, path: string): Promise<FileInfo | undefined> {
  const info = await files.stat(path, { follow: false, signal });
  if (info.kind === "directory") return undefined;
  const shown = { ...info, name: path };
  if (info.kind !== "symlink") return shown;
  try {
    return (await files.stat(path, { signal })).kind === "directory" ? undefined : shown;
  } catch (error) {
    if (!isOfOneFile(error)) throw error;
    return shown;
  }
}

async function* once(info: FileInfo): AsyncGenerator<FileInfo, void, undefined> {
  yield await Promise.resolve(info);
}

interface Format {
  blockLength: number;
  lines(entries: readonly FileInfo[]): string[];
}

const asJson: Format = {
  blockLength: blockLength.lines,
  lines: (entries) => entries.map((info) => jsonLine(forPrograms(info))),
};

async function asText({
  long = false,
  humanReadable: human = false,
  onePerLine = false,
}: LsOptions): Promise<Format> {
  const { LongListing, inColumns, nameText } = await import("../files/listing.ts");
  const marks = process.stdout.isTTY;
  if (long) {
    const listing = new LongListing({ marks, human });
    return { blockLength: blockLength.long, lines: (entries) => listing.lines(entries) };
  }
  const names = (entries: readonly FileInfo[]): string[] => entries.map((info) => nameText(info, { marks }));
  if (onePerLine || !process.stdout.isTTY) return { blockLength: blockLength.lines, lines: names };
  return {
    blockLength: blockLength.columns,
    lines: (entries) => inColumns(names(entries), outputColumns()),
  };
}
