import { execFileSync } from "node:child_process";
import path from "node:path";

/** Compiles bench/c/`name`.c; gives the program, which needs no library. */
export function compile(name: string, folder: string): string {
  const program = path.join(folder, name);
  execFileSync("gcc", ["-O2", "-static", "-o", program, path.resolve("bench/c", `${name}.c`)], {
    stdio: "inherit",
  });
  return program;
}
