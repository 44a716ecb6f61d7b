import type { Tools } from "../../tools/tools.ts";
import type { ConfigFiles, FileSet } from "../config-files.ts";
import type { NetworkDocument } from "../document.ts";
import type { InterfaceState } from "../interfaces.ts";

/** Programs of the guest; those of tests are others. */
export type SystemTools = Pick<Tools, "run" | "expect">;

export interface BackendOptions {
  tools: SystemTools;
  /** Where the guest's file system begins: "/". */
  root: string;
  stateDir: string;
}

/** From one set of files to another. */
export interface Change {
  from: FileSet;
  to: FileSet;
  /** What remember() gave before the last change. */
  remembered: readonly string[];
}

/** Who carries out a network configuration in this guest, and in which files. */
export interface Backend {
  readonly name: string;
  readonly files: ConfigFiles;
  /** Whether the guest has it, and it runs. */
  isThere(): Promise<boolean>;
  /** What a document becomes. Throws CodedError network for what cannot be had here, by its key. */
  render(document: NetworkDocument): FileSet;
  /** Checks it, as far as that can be done without changing anything. Rejects with CodedError network. */
  validate(files: FileSet, signal: AbortSignal): Promise<void>;
  /** What of the running system must be known to come back to it, besides the files; a few short texts. */
  remember(): Promise<string[]>;
  /** Brings what is in the files, which are there already, into force. Rejects with CodedError network. */
  apply(change: Change): Promise<void>;
  /** The same on the way back to what there was, where that is more than what the files say. */
  restore?(change: Change): Promise<void>;
  /** All that is in force, as its own tool tells it. */
  show(signal: AbortSignal): Promise<string>;
  /** The document itself, where it is what is written. */
  documentIn?(files: FileSet): string;
}

/** How long what is applied may take. */
export const applySeconds = 60;

/** How long a tool may take that only looks, or reads files. */
export const lookSeconds = 20;

/** What a kind of operating system has for the network; see platform/. */
export interface NetworkSystem {
  /** In the order in which they are asked whether they are there. */
  backends(options: BackendOptions): Backend[];
  interfaces(): Promise<readonly InterfaceState[]>;
  /** Rejects with CodedError network. */
  setMtu(tools: SystemTools, name: string, mtu: number): Promise<void>;
}
