import { InvalidArgumentError } from "commander";

const letters: Readonly<Record<string, string>> = {
  directory: "d",
  symlink: "l",
  fifo: "p",
  socket: "s",
  "character-device": "c",
  "block-device": "b",
  file: "-",
};

/** Permission bits as ls(1) has them: "drwxr-xr-x", "-rwsr-xr-x", "drwxrwxrwt". */
export function modeText(kind: string, mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const execute = (bits & 1) !== 0;
    const marked = (mode & special) !== 0;
    const last = marked ? (execute ? letter : letter.toUpperCase()) : execute ? "x" : "-";
    return (bits & 4 ? "r" : "-") + (bits & 2 ? "w" : "-") + last;
  };
  const type = letters[kind] ?? "?";
  return type + triple(6, 0o4000, "s") + triple(3, 0o2000, "s") + triple(0, 0o1000, "t");
}

/** "0644". */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** For commander: permission bits from "755" or "0755". */
export function parseMode(text: string): number {
  const mode = /^[0-7]{1,5}$/.test(text) ? Number.parseInt(text, 8) : NaN;
  // 0 on the wire is no mode at all.
  if (mode >= 1 && mode <= 0o7777) return mode;
  throw new InvalidArgumentError("Give permission bits in octal, such as 755 or 0700.");
}
