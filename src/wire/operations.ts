import type Long from "long";
import type { limiquantix } from "./gen/agent.js";

type Messages = limiquantix.agent.v1.AgentMessage.$Properties;

/** Each request of the envelope's oneof and the response that answers it. */
export const responseOf = {
  ping: "pong",
  execute: "executeResponse",
  fileWrite: "fileWriteResponse",
  fileRead: "fileReadResponse",
  shutdown: "shutdownResponse",
  resetPassword: "resetPasswordResponse",
  configureNetwork: "configureNetworkResponse",
  quiesce: "quiesceResponse",
  thaw: "thawResponse",
  syncTime: "syncTimeResponse",
  listDirectory: "listDirectoryResponse",
  createDirectory: "createDirectoryResponse",
  fileDelete: "fileDeleteResponse",
  fileStat: "fileStatResponse",
  displayResize: "displayResizeResponse",
  clipboardUpdate: "clipboardUpdateResponse",
  clipboardGet: "clipboardGetResponse",
  listProcesses: "listProcessesResponse",
  killProcess: "killProcessResponse",
  listServices: "listServicesResponse",
  serviceControl: "serviceControlResponse",
  getHardwareInfo: "hardwareInfoResponse",
  listInstalledSoftware: "listInstalledSoftwareResponse",
  agentUpdate: "agentUpdateResponse",
  getCapabilities: "getCapabilitiesResponse",
  hello: "helloResponse",
  execStart: "execStartResponse",
  execAttach: "execAttachResponse",
  execList: "execListResponse",
  execSignal: "execSignalResponse",
  execResize: "execResizeResponse",
  cancel: "cancelResponse",
  fileGet: "fileGetResponse",
  filePut: "filePutResponse",
  transferCommit: "transferCommitResponse",
  treeGet: "treeGetResponse",
  treePut: "treePutResponse",
  fileRename: "fileRenameResponse",
  fileSetAttributes: "fileSetAttributesResponse",
  createSymlink: "createSymlinkResponse",
  fileCopy: "fileCopyResponse",
  fileWatch: "fileWatchResponse",
  shutdownCancel: "shutdownCancelResponse",
  shutdownStatus: "shutdownStatusResponse",
  sshKeyList: "sshKeyListResponse",
  sshKeyAdd: "sshKeyAddResponse",
  sshKeyRemove: "sshKeyRemoveResponse",
  networkShow: "networkShowResponse",
  networkConfirm: "networkConfirmResponse",
  networkRollback: "networkRollbackResponse",
  quiesceStatus: "quiesceStatusResponse",
  trim: "trimResponse",
  timeStatus: "timeStatusResponse",
} as const satisfies Partial<Record<keyof Messages, keyof Messages>>;

/** Events an agent sends on its own. They are never answered. */
export const eventNames = [
  "telemetry",
  "agentReady",
  "error",
  "clipboardChanged",
  "execExited",
  "transferEnded",
  "fileChanged",
] as const;

/** Parts of streams, in both directions. They are never answered. */
export const streamNames = ["streamData", "streamCredit"] as const;

export type RequestName = keyof typeof responseOf;
export type ResponseName<R extends RequestName = RequestName> = (typeof responseOf)[R];
export type EventName = (typeof eventNames)[number];
export type StreamName = (typeof streamNames)[number];

/** A message as decoded: fields that were not sent have their defaults, and messages within it are null. */
export type Decoded<T> = {
  [Key in keyof T as Key extends `$${string}` ? never : Key]-?: DecodedField<NonNullable<T[Key]>>;
};
type DecodedField<T> = T extends Long | Uint8Array | readonly unknown[] | string | number | boolean
  ? T
  : string extends keyof T
    ? T // a map
    : T | null;

export type Request<R extends RequestName> = Decoded<NonNullable<Messages[R]>>;
/** A request, and a response, as it is given to the encoder: what is left out is not sent. */
export type RequestFields<R extends RequestName> = NonNullable<Messages[R]>;
export type Response<R extends RequestName> = NonNullable<Messages[ResponseName<R>]>;

export function isRequest(name: string): name is RequestName {
  return Object.hasOwn(responseOf, name);
}

export function isStream(name: string): name is StreamName {
  return (streamNames as readonly string[]).includes(name);
}

export function isEvent(name: string): name is EventName {
  return (eventNames as readonly string[]).includes(name);
}

/** "file_write" for "fileWrite". */
export function operationName(request: string): string {
  return request.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
