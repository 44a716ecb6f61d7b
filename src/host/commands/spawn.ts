import { OnDisconnect } from "../../wire/envelope.ts";
import type { Session } from "../session.ts";
import { checkAnswer } from "./answer.ts";
import { type CommandOptions, type TerminalSize, commandFields, terminalFields, whole } from "./options.ts";
import { RemoteProcess } from "./remote-process.ts";

export interface SpawnOptions extends CommandOptions {
  /** `command` is a line for /bin/sh, and there are no args. */
  shell?: boolean | undefined;
  /** The user's own shell, as a login shell; with a command, to run that. */
  login?: boolean | undefined;
  /** Give it an input; true unless given. */
  stdin?: boolean | undefined;
  /** Give it a terminal instead of three pipes. */
  terminal?: TerminalSize | undefined;
  /** What becomes of it when this connection goes; "kill" unless given. A kept one can be attached to. */
  onDisconnect?: "kill" | "keep" | undefined;
  /** Newest output that is kept for attach(); the agent's 64 KiB unless given, at most 1 MiB. */
  keepBytes?: number | undefined;
  /** Output that may wait here for its reader, for each of the two streams; 1 MiB unless given. */
  windowBytes?: number | undefined;
}

export interface AttachOptions {
  /** Output that may wait here for its reader, for each of the two streams; 1 MiB unless given. */
  windowBytes?: number | undefined;
  /** Gives up attaching. The command itself is not ended by it. */
  signal?: AbortSignal | undefined;
}

const defaultWindowBytes = 1024 * 1024;
const mostKeepBytes = 1024 * 1024;

/** See Client.spawn(). */
export async function spawn(session: Session, options: SpawnOptions): Promise<RemoteProcess> {
  session.require("exec", "spawn");
  const { signal, shell = false, login = false, stdin = true, terminal, onDisconnect = "kill" } = options;
  const windowBytes = checkedWindow(options.windowBytes);
  const request = {
    ...commandFields(options),
    shell,
    login,
    stdin,
    ...(terminal && { terminal: terminalFields(terminal) }),
    onDisconnect: onDisconnect === "keep" ? OnDisconnect.ON_DISCONNECT_KEEP : OnDisconnect.ON_DISCONNECT_KILL,
    keepBytes: whole("keepBytes", options.keepBytes ?? 0, 0, mostKeepBytes),
    windowBytes,
  };
  return await session.ask("execStart", request, { signal, cancel: true }, (response, messageId) => {
    checkAnswer(response);
    const { execId, pid, stdinWindowBytes } = response;
    return new RemoteProcess(session, {
      execId,
      pid,
      stdinWindowBytes: stdin ? stdinWindowBytes : undefined,
      windowBytes,
      terminal: terminal !== undefined,
      droppedBytes: 0,
      messageId,
      signal,
    });
  });
}

/** See Client.attach(). */
export async function attach(
  session: Session,
  execId: string,
  options: AttachOptions,
): Promise<RemoteProcess> {
  session.require("exec", "attach");
  const windowBytes = checkedWindow(options.windowBytes);
  const request = { execId, windowBytes };
  return await session.ask("execAttach", request, { signal: options.signal }, (response) => {
    checkAnswer(response);
    const { pid, stdinWindowBytes, terminal, droppedBytes } = response;
    return new RemoteProcess(session, {
      execId,
      pid,
      stdinWindowBytes: terminal || stdinWindowBytes > 0 ? stdinWindowBytes : undefined,
      windowBytes,
      terminal,
      droppedBytes,
      messageId: undefined,
      signal: undefined,
    });
  });
}

function checkedWindow(windowBytes = defaultWindowBytes): number {
  return whole("windowBytes", windowBytes, 1, Number.MAX_SAFE_INTEGER);
}
