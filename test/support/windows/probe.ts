import { execFileSync } from "node:child_process";
import path from "node:path";
import { type Wine, windowsPath } from "./wine.ts";

/** Compiles probe.cc; gives its path as Windows sees it. */
export function buildProbe(wine: Wine): string {
  const file = path.join(wine.folder, "probe.exe");
  execFileSync("x86_64-w64-mingw32-g++-posix", [
    ...["-std=c++17", "-O1", "-static", "-municode", "-D_WIN32_WINNT=0x0A00", "-o", file],
    ...["test/support/windows/probe.cc", "-lntdll"],
  ]);
  return windowsPath(file);
}
