import type { Handlers } from "../session/handler.ts";
import { cancel } from "./cancel.ts";
import { execAttach } from "./exec-attach.ts";
import { execList } from "./exec-list.ts";
import { execResize } from "./exec-resize.ts";
import { execSignal } from "./exec-signal.ts";
import { execStart } from "./exec-start.ts";
import { execute } from "./execute.ts";
import { fileGet } from "./file-get.ts";
import { filePut } from "./file-put.ts";
import { transferCommit } from "./transfer-commit.ts";
import { fileRead } from "./file-read.ts";
import { fileWrite } from "./file-write.ts";
import { getCapabilities } from "./get-capabilities.ts";
import { ping } from "./ping.ts";

/** Every operation that works. One that is not here is answered with its own "not supported" response. */
export const handlers = {
  ping,
  execute,
  getCapabilities,
  execStart,
  execAttach,
  execList,
  execSignal,
  execResize,
  cancel,
  fileGet,
  filePut,
  transferCommit,
  fileWrite,
  fileRead,
} satisfies Handlers;
