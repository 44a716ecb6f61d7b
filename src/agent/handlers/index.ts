import type { RequestName } from "../../wire/operations.ts";
import type { Handler, Handlers } from "../session/handler.ts";
import { cancel } from "./cancel.ts";
import { execAttach } from "./exec-attach.ts";
import { execList } from "./exec-list.ts";
import { execResize } from "./exec-resize.ts";
import { execSignal } from "./exec-signal.ts";
import { execStart } from "./exec-start.ts";
import { execute } from "./execute.ts";
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
  fileWrite: late(async () => (await import("./file-write.ts")).fileWrite),
  fileRead: late(async () => (await import("./file-read.ts")).fileRead),
  listDirectory: late(async () => (await import("./list-directory.ts")).listDirectory),
  createDirectory: late(async () => (await import("./create-directory.ts")).createDirectory),
  fileDelete: late(async () => (await import("./file-delete.ts")).fileDelete),
  fileStat: late(async () => (await import("./file-stat.ts")).fileStat),
  fileRename: late(async () => (await import("./file-rename.ts")).fileRename),
  fileSetAttributes: late(async () => (await import("./file-set-attributes.ts")).fileSetAttributes),
  createSymlink: late(async () => (await import("./create-symlink.ts")).createSymlink),
  fileCopy: late(async () => (await import("./file-copy.ts")).fileCopy),
  fileWatch: late(async () => (await import("./file-watch.ts")).fileWatch),
  fileGet: late(async () => (await import("./file-get.ts")).fileGet),
  filePut: late(async () => (await import("./file-put.ts")).filePut),
  treeGet: late(async () => (await import("./tree-get.ts")).treeGet),
  treePut: late(async () => (await import("./tree-put.ts")).treePut),
  resetPassword: late(async () => (await import("./reset-password.ts")).resetPassword),
  sshKeyList: late(async () => (await import("./ssh-key-list.ts")).sshKeyList),
  sshKeyAdd: late(async () => (await import("./ssh-key-add.ts")).sshKeyAdd),
  sshKeyRemove: late(async () => (await import("./ssh-key-remove.ts")).sshKeyRemove),
  transferCommit: late(async () => (await import("./transfer-commit.ts")).transferCommit),
  configureNetwork: late(async () => (await import("./configure-network.ts")).configureNetwork),
  networkShow: late(async () => (await import("./network-show.ts")).networkShow),
  networkConfirm: late(async () => (await import("./network-confirm.ts")).networkConfirm),
  networkRollback: late(async () => (await import("./network-rollback.ts")).networkRollback),
  quiesce: late(async () => (await import("./quiesce.ts")).quiesce),
  thaw: late(async () => (await import("./thaw.ts")).thaw),
  quiesceStatus: late(async () => (await import("./quiesce-status.ts")).quiesceStatus),
  trim: late(async () => (await import("./trim.ts")).trim),
  shutdown: late(async () => (await import("./shutdown.ts")).shutdown),
  shutdownCancel: late(async () => (await import("./shutdown-cancel.ts")).shutdownCancel),
  shutdownStatus: late(async () => (await import("./shutdown-status.ts")).shutdownStatus),
  syncTime: late(async () => (await import("./sync-time.ts")).syncTime),
  timeStatus: late(async () => (await import("./time-status.ts")).timeStatus),
} satisfies Handlers;

/** Loaded when the first such request comes: an agent that is not asked for files starts sooner, and is smaller. */
function late<R extends RequestName>(load: () => Promise<Handler<R>>): Handler<R> {
  let handler: Handler<R> | undefined;
  return (request, context) => {
    if (handler) return handler(request, context);
    const kept = withOwnBytes(request);
    return load().then((loaded) => {
      handler = loaded;
      return loaded(kept, context);
    });
  };
}

/** See Handler: its first turn is still to come. */
function withOwnBytes<T extends object>(request: T): T {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(request) as object) as T, request);
  for (const [name, value] of Object.entries(request)) {
    if (value instanceof Uint8Array) Object.assign(copy, { [name]: Buffer.from(value) });
  }
  return copy;
}
