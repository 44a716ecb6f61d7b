/** The characters that pictures are drawn with. */
export interface Glyphs {
  full: string;
  /** Parts of a full one, the smallest first; none when a cell is full or empty. */
  parts: readonly string[];
  empty: string;
  /** Heights of a sparkline, the lowest first. */
  heights: readonly string[];
  separator: string;
  ellipsis: string;
}

const unicode: Glyphs = {
  full: "█",
  parts: Array.from("▏▎▍▌▋▊▉"),
  empty: "░",
  heights: Array.from("▁▂▃▄▅▆▇█"),
  separator: " · ",
  ellipsis: "…",
};

const ascii: Glyphs = {
  full: "#",
  parts: [],
  empty: ".",
  heights: Array.from("_.-=+*%#"),
  separator: " | ",
  ellipsis: "...",
};

/** Those that this terminal can show. */
export function glyphs(): Glyphs {
  return showsUnicode(process.env) ? unicode : ascii;
}

/** Whether the locale is a UTF-8 one, by the order of locale(7). Windows consoles have no locale and show them. */
function showsUnicode({ LC_ALL, LC_CTYPE, LANG, TERM }: NodeJS.ProcessEnv): boolean {
  if (TERM === "dumb" || TERM === "linux") return false;
  if (process.platform === "win32") return true;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}
