import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { exitCodeOfSignal } from "../interruption.ts";

/** $VISUAL, else $EDITOR, else vi; may have arguments. */
export function editorCommand({ VISUAL, EDITOR }: NodeJS.ProcessEnv): string {
  return VISUAL || EDITOR || "vi";
}

/** Has the user edit a file, and gives the exit code: 0 when the editor is content, else that of the failure. */
export async function runEditor(context: Context, file: string): Promise<number> {
  const command = editorCommand(process.env);
  // The command is the shell's to split, as for git. The keyboard's signals are the editor's: the shell waits for it.
  const line = `trap : INT QUIT; ${command} "$@"`;
  const editor = spawn("/bin/sh", ["-c", line, command, file], { stdio: "inherit" });
  const diversion = context.divert({
    // Those of the keyboard reach the editor from the terminal, and are its own matter.
    signal(name) {
      if (name === "SIGTERM" || name === "SIGHUP") editor.kill(name);
    },
    outputFailed: () => undefined,
  });
  const [code, signal] = await ended(editor).finally(() => {
    diversion[Symbol.dispose]();
  });
  if (code === 0) return exitCode.ok;
  const end = signal === null ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
  context.note(`the editor (${command}) ended ${end}; nothing is written`);
  // Above 128 the shell says that a signal has ended the editor.
  return signal !== null ? exitCodeOfSignal(signal) : code !== null && code > 128 ? code : exitCode.failed;
}

async function ended(child: ChildProcess): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  return (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
}
