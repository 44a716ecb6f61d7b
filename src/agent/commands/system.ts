import type { RawProcess, SpawnOptions } from "../../native/process.ts";
import type { Executable, SearchPlace } from "./executable.ts";
import type { Identity, IdentityRequest } from "./identity.ts";

/** What is to be executed, as it would be typed, and what it is told: arguments, or a line that is the program's to read. */
export interface Invocation {
  program: string;
  /** argv[0] first. */
  argv: readonly string[];
  /** Windows: all arguments, quoted as the program wants them. */
  commandLine?: string;
}

/** Throws when the policy does not allow the program. */
export type CheckProgram = (executable: Executable) => Promise<void>;

/** What differs between systems in how a command is found and started. */
export interface CommandSystem {
  /** Where a program that is only a name is looked for, for those that the policy names. */
  readonly searchPath: string;
  /** Where a command starts whose user's home is not there, and what a tool starts in. */
  readonly rootFolder: string;
  /** Variables that a tool has, besides its own. */
  readonly toolEnvironment: Readonly<Record<string, string>>;
  /** What is typed at a terminal to say that there is no more. */
  readonly endOfInput: Buffer;
  /** Names of variables that programs take code from. */
  readonly steering: RegExp;

  /** Looks up who is asked for. Throws CodedError: noSuchUser, noSuchGroup, cannotSwitchUser. */
  identify(request: IdentityRequest): Promise<Identity>;

  /** What a command finds in its environment; PATH is in capitals. Throws CodedError invalidMessage. */
  environmentFor(
    identity: Identity,
    added: Readonly<Record<string, string>>,
  ): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>;

  /** A line for the system's shell. Throws CodedError invalidMessage. */
  shellFor(line: string): Invocation;

  /** The user's own shell, with a line for it, or "". Throws CodedError invalidMessage. */
  loginFor(identity: Identity, line: string, args: readonly string[]): Invocation;

  /** Whether a command can start in it, wherever the agent is. */
  isAbsolute(folder: string): boolean;

  /**
   * Which file is executed, and its arguments. `check` is given where it matters which program it is. Throws CodedError:
   * commandNotFound, commandPermission, invalidMessage.
   */
  resolve(
    invocation: Invocation,
    place: SearchPlace,
    check: CheckProgram | undefined,
  ): Promise<Pick<SpawnOptions, "files" | "args" | "commandLine">>;

  /** Finds a program. Throws CodedError: commandNotFound, commandPermission. */
  findExecutable(command: string, place: SearchPlace): Promise<Executable>;

  /** Whether both are the same file. Both are absolute and were found. */
  isSameFile(one: string, other: string): boolean;

  /** To all of a command. False when it has ended. Throws CodedError invalidMessage for a signal that the system does not have. */
  signal(process: RawProcess, number: number): boolean;

  /** What a command has printed. */
  textOf(bytes: Buffer): string;
}
