import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../stamps.mjs";

const places = {
  bash: "usr/share/bash-completion/completions/limiquantix-ctl",
  zsh: "usr/share/zsh/vendor-completions/_limiquantix-ctl",
  fish: "usr/share/fish/vendor_completions.d/limiquantix-ctl.fish",
};

/** What `limiquantix-ctl completion` prints, where each shell looks for it. */
export function stageCompletions(folder) {
  const program = path.join(root, "dist/executable/linux-x64/limiquantix-ctl");
  for (const [shell, place] of Object.entries(places)) {
    const file = path.join(folder, place);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, execFileSync(program, ["completion", shell]), { mode: 0o644 });
  }
}
