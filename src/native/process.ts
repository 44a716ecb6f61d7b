// Commands, and the users that they run as.
import type { RawPort } from "./port.ts";

/** Makes a pseudo terminal: the master's descriptor, which the caller owns, and the path of the other end. */
export type OpenPty = () => { fd: number; path: string };

/** What a command is, and how it starts. Strings contain no NUL. */
export interface SpawnOptions {
  /**
   * Absolute paths, of which the first is executed that is there and may be, as execvp(3) goes through PATH. A file
   * without `#!` is no script.
   */
  files: readonly string[];
  /** argv, argv[0] first. */
  args: readonly string[];
  /** Windows, which has no argv: all arguments in one line, as the program takes them apart, in place of `args`. */
  commandLine?: string;
  /** All of it, as NAME=value; nothing is inherited. */
  environment: readonly string[];
  /** Entered as the user that the command runs as. */
  workingDirectory: string;
  /** As this process unless given. `groups` are the supplementary ones. Ids are below 2^32 - 1. */
  identity?: { uid: number; gid: number; groups: readonly number[] };
  /** Windows, in place of `identity`: "DOMAIN\\name". */
  account?: string;
  /** A pipe, or else /dev/null. */
  stdin?: "pipe";
  stdout?: "pipe";
  stderr?: "pipe";
  /** A controlling terminal in place of the three; columns and rows up to 65,535. */
  pty?: { columns: number; rows: number };
  /**
   * Cgroup v2 folders, of which the first is used that can be made, or is there and empty; without one the command runs
   * without. Who asked for it removes it when all in it have ended; a new one does not stay behind a command that did
   * not start.
   */
  cgroups?: readonly string[];
  /** Windows: it goes on when this process ends. Linux: all do. */
  outlives?: true;
  /** For tests: as on a kernel without clone3 and pidfd_open (5.3), CLONE_INTO_CGROUP (5.7) and close_range (5.9). */
  pidfd?: false;
}

/**
 * A command that runs or has ended: leader of a session and a process group of its own, with no descriptors but 0, 1
 * and 2, no blocked or ignored signals, umask 022, nice 0, and the resource limits of a fresh login, not this
 * process's. It keeps the event loop alive until it ends.
 *
 * To be kept until then, and closed: one that is garbage counts as closed.
 */
export interface RawProcess {
  readonly pid: number;
  /** Which of `files` it is. */
  readonly file: string;
  /** Which of `cgroups` it is in, or "". */
  readonly cgroup: string;
  /** What `openStream` of streams.ts takes, and the caller now owns; -1 where there is none. On Linux descriptors. */
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  /** The terminal's master: all that is shown, and what is typed. */
  readonly pty: number;
  /** Sends a signal to the command itself; false when it has ended. */
  signal(signal: number): boolean;
  /**
   * Sends a signal to its process group, also when the command itself has ended; false when none of them is left, or
   * after `close`. It reaches no others: as long as this is not closed, nobody else gets the pid.
   */
  signalGroup(signal: number): boolean;
  /** Windows: how many processes of its tree live, itself included; 0 after `close`. */
  members?(): number;
  /** Of the terminal; who runs in it gets SIGWINCH. Nothing happens without one, or when `pty` has been closed. */
  resize(columns: number, rows: number): void;
  /**
   * Idempotent. Gives back what is held, except the descriptors above. `onExit` does not come any more. It ends
   * nothing: what still runs goes on, and is reaped when it ends.
   */
  close(): void;
}

/** A command on its way. Another user's may be held up for as long as that user likes: it takes a deadline. */
export interface Spawning {
  /**
   * The command, executed: `execve` has succeeded, or a signal ended it just before. Rejects with an error of Node's
   * shape: errno, code, syscall = the step that failed ("execve", "chdir", "setgroups", "setresgid", "setresuid",
   * "clone", "open", "pipe2", ...), and path where one is known; ECANCELED, "spawn" after `abort`.
   */
  readonly ready: Promise<RawProcess>;
  /** Rejects `ready` at once, kills what has been started of it, and leaves nothing behind. Later it does nothing. */
  abort(): void;
}

/**
 * Starts a command without blocking. Throws a TypeError for options that are wrong. `onExit` comes once, in a turn after
 * the one that `ready` is resolved in: `code` is 0 to 255; or `signal`, which ended it, is above 0, and `code` is 0.
 */
export type Spawn = (options: SpawnOptions, onExit: (code: number, signal: number) => void) => Spawning;

// Windows only:

/** Takes over a stream of a RawProcess. Throws an error of Node's shape; then the stream is closed. */
export type OpenStream = (stream: number, onEvents: (mask: number) => void) => RawPort;
/** Of a stream that was not opened. */
export type CloseStream = (stream: number) => void;

/** NAME=value of the machine, or of the user that this process runs as on it, as the registry has them now. */
export type ReadEnvironment = (ownUser: boolean) => Promise<string[]>;

export interface AccountRecord {
  name: string;
  /** The machine's own name for a local account. */
  domain: string;
  /** "S-1-5-…" */
  sid: string;
  /** Its profile folder; "" when it has never been logged on. */
  home: string;
  /** And no group. */
  isUser: boolean;
}

/** Asks Windows for "name" or "DOMAIN\\name"; undefined when there is none. Waits for the domain's servers. */
export type LookupAccount = (name: string) => Promise<AccountRecord | undefined>;

/**
 * Sends CTRL_C (0) or CTRL_BREAK (1) to all processes in the console of `pid`. This process joins that console for it: it is
 * for a process that does nothing else. Throws an error of Node's shape.
 */
export type SignalConsole = (pid: number, event: 0 | 1) => void;

/** Text in the code page that consoles of this machine have unless told otherwise. */
export type DecodeOem = (bytes: Uint8Array) => string;

// Linux only:

export interface UserRecord {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
  /** All of them, the primary one included. */
  groups: number[];
}

export interface GroupRecord {
  name: string;
  gid: number;
}

/**
 * Asks the system's name service; undefined when there is none. A string is a name, whatever it looks like; a number is
 * an id. It may take for ever when a directory server does not answer, so it takes a deadline. With 8 lookups that have
 * not come back, more are rejected with EAGAIN.
 */
export type LookupUser = (name: string | number) => Promise<UserRecord | undefined>;
export type LookupGroup = (name: string | number) => Promise<GroupRecord | undefined>;

/**
 * From now on this process leaves no core, neither a file nor through a pipe: secrets of hosts are in its memory. Commands
 * have a limit of their own. Throws an error of Node's shape.
 */
export type ForbidCoreDumps = () => void;
