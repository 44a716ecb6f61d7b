/** A key and its value; undefined for one that is left out. */
export type Line = readonly [key: string, value: string | number | undefined];

/** The first line of each file that this agent writes. */
export const banner = "# Written by limiquantix-agent for configure_network, which replaces it.";

/** A file of `[section]`s and `key=value` lines; sections without lines are left out. The values have been checked: each is one line. */
export function iniFile(sections: readonly (readonly [title: string, lines: readonly Line[]])[]): string {
  const written = sections.flatMap(([title, lines]) => {
    const present = lines.filter(([, value]) => value !== undefined);
    return present.length === 0
      ? []
      : [`[${title}]\n${present.map(([key, value]) => `${key}=${value ?? ""}\n`).join("")}`];
  });
  return `${banner}\n\n${written.join("\n")}`;
}

/** "yes", "no", or nothing where it was not said. */
export function yesNo(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? "yes" : "no";
}
