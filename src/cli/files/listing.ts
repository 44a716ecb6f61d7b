import chalk from "chalk";
import stringWidth from "string-width";
import type { FileInfo } from "../../host/index.ts";
import { printable } from "../ui/printable.ts";
import { bytes } from "../ui/units.ts";
import { pad } from "../ui/width.ts";
import { modeText } from "./mode.ts";

export interface ListingStyle {
  /** Mark folders with a slash and colours. */
  marks: boolean;
  /** Sizes in units. */
  human: boolean;
}

/** The name as a line of its own shows it. */
export function nameText({ name, kind }: FileInfo, { marks }: Pick<ListingStyle, "marks">): string {
  const text = printable(name);
  if (!marks) return text;
  if (kind === "directory") return `${chalk.blue(text)}/`;
  return kind === "symlink" ? chalk.cyan(text) : text;
}

/** Lines like those of `ls -l --time-style=long-iso`. Columns grow from one call to the next, and never shrink. */
export class LongListing {
  readonly #style: ListingStyle;
  readonly #widths = [0, 0, 0, 0];

  constructor(style: ListingStyle) {
    this.#style = style;
  }

  lines(entries: readonly FileInfo[]): string[] {
    const rows = entries.map((info) => ({ info, cells: this.#cells(info) }));
    for (const { cells } of rows) {
      for (const [index, cell] of cells.entries()) {
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, stringWidth(cell));
      }
    }
    return rows.map(({ info, cells: [links, owner, group, size] }) => {
      const [linksWidth = 0, ownerWidth = 0, groupWidth = 0, sizeWidth = 0] = this.#widths;
      return [
        modeText(info.kind, info.mode),
        links.padStart(linksWidth),
        pad(owner, ownerWidth),
        pad(group, groupWidth),
        size.padStart(sizeWidth),
        minuteText(info.modifiedAt),
        nameText(info, this.#style) + targetText(info),
      ].join(" ");
    });
  }

  #cells({ linkCount, owner, group, sizeBytes }: FileInfo): [string, string, string, string] {
    const size = this.#style.human ? bytes(sizeBytes) : String(sizeBytes);
    return [String(linkCount), printable(owner), printable(group), size];
  }
}

/** Names side by side, sorted downwards, in as few lines as `columns` allow; they must not be coloured in part. */
export function inColumns(names: readonly string[], columns: number): string[] {
  const widths = names.map((name) => stringWidth(name));
  const gap = 2;
  const narrowest = Math.min(...widths) + gap;
  for (let count = Math.max(1, Math.min(names.length, Math.floor((columns + gap) / narrowest))); ; count--) {
    const rows = Math.ceil(names.length / count);
    const columnWidths = Array.from({ length: Math.ceil(names.length / rows) }, (_, column) =>
      Math.max(...widths.slice(column * rows, (column + 1) * rows)),
    );
    const total = columnWidths.reduce((sum, width) => sum + width + gap, -gap);
    if (total > columns && count > 1) continue;
    return Array.from({ length: rows }, (_, row) =>
      columnWidths
        .map((width, column) => pad(names[column * rows + row] ?? "", width + gap))
        .join("")
        .trimEnd(),
    );
  }
}

function targetText({ kind, symlinkTarget }: FileInfo): string {
  return kind === "symlink" ? ` -> ${printable(symlinkTarget)}` : "";
}

/** "2026-11-25 02:34", in the time of this host. */
function minuteText(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
