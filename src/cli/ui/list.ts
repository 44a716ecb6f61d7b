import chalk from "chalk";

/** Names and values in two columns; a value of several lines stays in its column. Entries without a value are left out. */
export function list(entries: readonly (readonly [name: string, value: string])[]): string {
  const present = entries.filter(([, value]) => value !== "");
  const width = Math.max(0, ...present.map(([name]) => name.length));
  const indent = `\n${" ".repeat(width + 2)}`;
  return present
    .map(([name, value]) => `${chalk.dim(name.padEnd(width))}  ${value.split("\n").join(indent)}`)
    .join("\n");
}
