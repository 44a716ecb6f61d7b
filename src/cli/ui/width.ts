import stringWidth from "string-width";
import { glyphs } from "./glyphs.ts";

const graphemes = new Intl.Segmenter();
/** Colours, as chalk makes them; they take no room. */
const styles = /(\u001b\[[0-9;]*m)/;

/** The text in `columns` columns of a terminal at most: what does not fit becomes an ellipsis. Colours are kept. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (stringWidth(text) <= columns) return text;
  const ellipsis = glyphs().ellipsis;
  const room = columns - stringWidth(ellipsis);
  let result = "";
  let used = 0;
  let full = false;
  for (const [index, part] of text.split(styles).entries()) {
    if (index % 2 === 1) {
      result += part; // also behind the end, so that colours end
      continue;
    }
    if (full) continue;
    for (const { segment } of graphemes.segment(part)) {
      const width = stringWidth(segment);
      if (used + width > room) {
        full = true;
        result += ellipsis;
        break;
      }
      result += segment;
      used += width;
    }
  }
  return result;
}

/** The text, filled up with spaces to `columns`. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - stringWidth(text)));
}

/** `left` and, at the other end of the line, `right`. The left gives way when there is no room. */
export function justify(left: string, right: string, columns: number): string {
  const rightWidth = stringWidth(right);
  const room = columns - rightWidth - 1;
  return room <= 0 ? cut(right, columns) : `${pad(cut(left, room), room)} ${right}`;
}
