import path from "node:path";

/** Where the agent keeps what is its own on Windows; its state is in a folder below. */
export function programData(): string {
  return path.win32.join(process.env["ProgramData"] ?? "C:\\ProgramData", "LimiQuantix");
}
