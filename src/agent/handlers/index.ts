import type { Handlers } from "../session/handler.ts";
import { cancel } from "./cancel.ts";
import { createDirectory } from "./create-directory.ts";
import { createSymlink } from "./create-symlink.ts";
import { execAttach } from "./exec-attach.ts";
import { execList } from "./exec-list.ts";
import { execResize } from "./exec-resize.ts";
import { execSignal } from "./exec-signal.ts";
import { execStart } from "./exec-start.ts";
import { execute } from "./execute.ts";
import { fileGet } from "./file-get.ts";
import { filePut } from "./file-put.ts";
import { fileCopy } from "./file-copy.ts";
import { fileDelete } from "./file-delete.ts";
import { fileRead } from "./file-read.ts";
import { fileRename } from "./file-rename.ts";
import { fileSetAttributes } from "./file-set-attributes.ts";
import { fileStat } from "./file-stat.ts";
import { fileWatch } from "./file-watch.ts";
import { fileWrite } from "./file-write.ts";
import { getCapabilities } from "./get-capabilities.ts";
import { listDirectory } from "./list-directory.ts";
import { ping } from "./ping.ts";
import { transferCommit } from "./transfer-commit.ts";
import { treeGet } from "./tree-get.ts";
import { treePut } from "./tree-put.ts";

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
  fileWrite,
  fileRead,
  listDirectory,
  createDirectory,
  fileDelete,
  fileStat,
  fileRename,
  fileSetAttributes,
  createSymlink,
  fileCopy,
  fileWatch,
  fileGet,
  filePut,
  treeGet,
  treePut,
  transferCommit,
} satisfies Handlers;
