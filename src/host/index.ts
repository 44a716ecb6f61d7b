/** The host's side: find the VMs of this host, connect to the agent in one, ask it things, run commands in it, use its files. */
export { type ConnectOptions, type Target, connect } from "./connect.ts";
export type { Client, ClientEvents } from "./client.ts";
export type { AgentErrorEvent, AgentReady, Capabilities, Pong, TelemetryReport } from "./messages.ts";
export type { CallOptions } from "./calls.ts";
export { type DiscoverOptions, type DiscoveredVm, discover, discoveryFolders, findVm } from "./discover.ts";
export { HostError, type HostErrorCode } from "./errors.ts";
export type {
  Clock,
  ClockReference,
  ClockSource,
  ClockStatus,
  SyncOptions,
  SyncResult,
} from "./clock/clock.ts";
export type { ExecuteOptions, ExecuteResult } from "./commands/execute.ts";
export type { CommandInfo } from "./commands/list.ts";
export type { CommandOptions, TerminalSize } from "./commands/options.ts";
export type { ExitStatus, RemoteProcess } from "./commands/remote-process.ts";
export type { AttachOptions, SpawnOptions } from "./commands/spawn.ts";
export {
  FreezeError,
  type FileSystems,
  type FreezeOptions,
  type ThawOptions,
  type TrimOptions,
} from "./file-systems/file-systems.ts";
export type {
  Freeze,
  FreezeStatus,
  FrozenFileSystem,
  HookResult,
  ThawResult,
  TrimmedFileSystem,
} from "./file-systems/results.ts";
export type { FileInfo, FileInfoKind } from "./files/file-info.ts";
export type { Files } from "./files/files.ts";
export type {
  AttributesOptions,
  DownloadOptions,
  DownloadTreeOptions,
  FileOptions,
  OnProgress,
  Progress,
  ReadFileOptions,
  ReadStreamOptions,
  StallOptions,
  TransferOptions,
  UploadOptions,
  UploadTreeOptions,
  WriteOptions,
} from "./files/options.ts";
export type { DownloadTreeResult, FileChanges, TransferResult, UploadTreeResult } from "./files/results.ts";
export type { PasswordOptions, SshKey, UserOptions, Users } from "./users/users.ts";
export type { AppliedNetwork, ApplyNetworkOptions, Network, NetworkState } from "./network/network.ts";
export type { PendingShutdown, Power, ShutdownKind, ShutdownOptions, ShutdownResult } from "./power/power.ts";
