/** Takes a command line apart as the C runtime of Visual C++ (2008 and later) documents it. */
export function argvOf(line: string): string[] {
  const first = /^(?:"([^"]*)"|(\S*))/.exec(line);
  const argv = [first?.[1] ?? first?.[2] ?? ""];
  let at = first?.[0].length ?? 0;
  for (;;) {
    while (/[ \t\n\v\f\r]/.test(line[at] ?? "")) at++;
    if (at >= line.length) return argv;
    let argument = "";
    let quoted = false;
    for (; at < line.length; at++) {
      const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0;
      at += slashes;
      if (line[at] === '"') {
        argument += "\\".repeat(slashes >> 1);
        if (slashes % 2 === 1) argument += '"';
        else if (quoted && line[at + 1] === '"') argument += line[++at] ?? "";
        else quoted = !quoted;
        continue;
      }
      argument += "\\".repeat(slashes);
      if (at >= line.length || (!quoted && /[ \t]/.test(line[at] ?? ""))) break;
      argument += line[at] ?? "";
    }
    argv.push(argument);
  }
}
