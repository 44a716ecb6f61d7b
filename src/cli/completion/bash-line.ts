/** A command line of bash up to the cursor. */
export interface BashLine {
  /** Without quotes; the last is being typed, and may be empty. */
  words: string[];
  /** How much of the last one's value bash leaves as it is: up to the last separator of COMP_WORDBREAKS in it. */
  settled: string;
  /** The quote that is open at the end. */
  quote: "" | "'" | '"';
}

/** What a backslash quotes between double quotes. */
const quotedInDouble = new Set(["$", "`", '"', "\\"]);

/** Reads COMP_LINE up to COMP_POINT as bash and its line editor do, substitutions left as they are. */
export function readBashLine(line: string, wordBreaks: string): BashLine {
  const words: string[] = [];
  let word: string | undefined;
  let settled = "";
  let quote: BashLine["quote"] = "";
  const add = (text: string): string => (word = (word ?? "") + text);
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    const next = line[at + 1] ?? "";
    if (quote !== "") {
      if (character === quote) quote = "";
      else if (quote === '"' && character === "\\" && quotedInDouble.has(next)) {
        add(next);
        at++;
      } else add(character);
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      settled = "";
    } else if (character === "'" || character === '"') {
      quote = character;
      settled = add("");
    } else if (character === "\\") {
      add(next);
      at++;
    } else {
      const soFar = add(character);
      if (wordBreaks.includes(character)) settled = soFar;
    }
  }
  return { words: [...words, word ?? ""], settled, quote };
}

/** What bash puts in the place of what is not settled, so that the word becomes `value`. */
export function bashReplacement({ settled, quote }: BashLine, value: string): string {
  const text = value.slice(settled.length);
  if (quote === "'") return text.replaceAll("'", `'\\''`);
  if (quote === '"') return text.replace(/[$`"\\]/g, "\\$&");
  return text.replace(/[^\w@%+=:,./\u0080-\uffff-]/g, "\\$&");
}
