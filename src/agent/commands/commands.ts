import type { SpawnOptions } from "../../native/process.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Audit, AuditRecord } from "../audit/audit.ts";
import type { Policy } from "../policy/policy.ts";
import { Cgroups } from "./cgroups.ts";
import { Command, exitCodeOf } from "./command.ts";
import { notFound } from "./executable.ts";
import { commandSystem as system } from "../platform/commands.ts";
import type { Identity, IdentityRequest } from "./identity.ts";
import { spawnError } from "./spawn-error.ts";
import type { Invocation } from "./system.ts";

/** A command as a host asks for it. */
export interface CommandRequest extends IdentityRequest {
  /** For the audit: "execute". */
  operation: string;
  session: string;
  /** program: looked up in PATH. shell: a line for /bin/sh or cmd.exe. login: the user's own shell, with a line for it or "". */
  kind: "program" | "shell" | "login";
  command: string;
  args: readonly string[];
  /** "" for the user's home. */
  workingDirectory: string;
  environment: Readonly<Record<string, string>>;
  /** terminal: one for all three streams. none: output is discarded, input is empty. */
  streams: { stdin: boolean } | "none" | { terminal: { columns: number; rows: number } };
}

/** Where a tool runs. */
interface ToolPlace {
  environment?: Readonly<Record<string, string>>;
  workingDirectory?: string;
}

const shell = "/bin/sh";

/** Starts commands as the policy allows, and knows all that run. */
export class Commands {
  readonly #policy: Pick<Policy, "commands">;
  readonly #audit: Audit;
  readonly #cgroups = new Cgroups();
  readonly #running = new Set<Command>();

  constructor(policy: Pick<Policy, "commands">, audit: Audit) {
    this.#policy = policy;
    this.#audit = audit;
  }

  /** Rejects with a CodedError that says why it could not be started, or with the signal's reason. */
  async start(request: CommandRequest, signal: AbortSignal): Promise<Command> {
    const record: AuditRecord = {
      operation: request.operation,
      session: request.session,
      user: request.user,
      target: request.kind === "program" ? request.command : request.kind,
      argumentCount: request.args.length,
      outcome: "refused",
    };
    try {
      const { commands: policy } = this.#policy;
      policy.countCommand();
      policy.checkEnvironment(Object.keys(request.environment));
      const identity = await system.identify(request);
      record.user = identity.user.name;
      const environment = await system.environmentFor(identity, request.environment);
      const invocation = invocationOf(request, identity);
      record.target = invocation.program;
      const command = await this.#spawn(request, identity, environment, invocation, signal);
      record.target = command.file;
      this.#audit.record({ ...record, outcome: "started", pid: command.pid });
      void command.exited.then((exit) => {
        const durationMs = Math.round(command.durationMs);
        this.#audit.record({
          ...record,
          outcome: "ended",
          pid: command.pid,
          exitCode: exitCodeOf(exit),
          durationMs,
        });
      });
      return command;
    } catch (error) {
      this.#audit.record({ ...record, error: error instanceof CodedError ? error.wireText : String(error) });
      throw error;
    }
  }

  /** A program that the agent itself needs, as itself, with all three streams as pipes; no policy and no audit. Rejects as start(). */
  async startTool(
    program: string,
    args: readonly string[],
    { environment = {}, workingDirectory = system.rootFolder }: ToolPlace,
    signal: AbortSignal,
  ): Promise<Command> {
    const { searchPath, rootFolder, toolEnvironment } = system;
    const variables = { PATH: searchPath, ...toolEnvironment, ...environment };
    const invocation = { program, argv: [program, ...args] };
    try {
      return await this.#launch(
        "root",
        {
          ...(await system.resolve(invocation, { searchPath, folder: rootFolder }, undefined)),
          environment: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
          workingDirectory,
          stdin: "pipe",
          stdout: "pipe",
          stderr: "pipe",
        },
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      throw startError(error, program, searchPath, workingDirectory, "root");
    }
  }

  /** The agent ends, and with it every command but those that were started to outlive it. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((command) => command.kill()));
    await this.#cgroups.close();
  }

  /** The command goes on when the agent ends. */
  letGo(command: Command): void {
    this.#running.delete(command);
    command.release();
  }

  async #spawn(
    { workingDirectory, streams }: CommandRequest,
    { user, switchTo, account }: Identity,
    environment: ReadonlyMap<string, string>,
    invocation: Invocation,
    signal: AbortSignal,
  ): Promise<Command> {
    const searchPath = environment.get("PATH") ?? "";
    const place = { searchPath, folder: workingDirectory || user.home };
    const { commands: policy } = this.#policy;
    const check = policy.looksAtPrograms ? policy.check.bind(policy) : undefined;
    const options: SpawnOptions = {
      ...(await system.resolve(invocation, place, check)),
      environment: [...environment].map(([name, value]) => `${name}=${value}`),
      workingDirectory: workingDirectory === "" ? user.home : workingDirectory,
      ...(switchTo && { identity: switchTo }),
      ...(account !== undefined && { account }),
      ...spawnStreams(streams),
    };
    const start = (changes: Partial<SpawnOptions> = {}): Promise<Command> =>
      this.#launch(user.name, { ...options, ...changes }, signal);
    try {
      return await start().catch((error: unknown) => {
        const { syscall, code, path: file } = error as NodeJS.ErrnoException;
        // Services often have a home that is not there.
        if (syscall === "chdir" && workingDirectory === "")
          return start({ workingDirectory: system.rootFolder });
        // A script without an interpreter line is the shell's, as execvp(3) has it.
        if (code === "ENOEXEC" && file !== undefined) {
          return start({ files: [shell], args: [shell, file, ...invocation.argv.slice(1)] });
        }
        throw error;
      });
    } catch (error) {
      signal.throwIfAborted();
      throw startError(error, invocation.program, searchPath, options.workingDirectory, user.name);
    }
  }

  async #launch(user: string, options: SpawnOptions, signal: AbortSignal): Promise<Command> {
    const command = await Command.start(user, options, this.#cgroups, signal, (ended) => {
      this.#running.delete(ended);
    });
    this.#running.add(command);
    return command;
  }
}

function startError(
  cause: unknown,
  program: string,
  searchPath: string,
  workingDirectory: string,
  user: string,
): CodedError {
  if (cause instanceof CodedError) return cause;
  const error = cause as NodeJS.ErrnoException;
  if (error.syscall === "execve" && error.code === "ENOENT") return notFound(program, searchPath);
  return spawnError(error, workingDirectory, user);
}

function invocationOf(
  { kind, command, args, workingDirectory }: CommandRequest,
  identity: Identity,
): Invocation {
  if ([command, workingDirectory, ...args].some((text) => text.includes("\0"))) {
    throw new CodedError("invalidMessage", "a NUL byte cannot be passed to a command");
  }
  if (workingDirectory !== "" && !system.isAbsolute(workingDirectory)) {
    throw new CodedError(
      "workingDirectory",
      `the working directory must be an absolute path: ${workingDirectory}`,
    );
  }
  if (kind === "program") return { program: command, argv: [command, ...args] };
  return kind === "shell" ? system.shellFor(command) : system.loginFor(identity, command, args);
}

function spawnStreams(streams: CommandRequest["streams"]): Partial<SpawnOptions> {
  if (streams === "none") return { outlives: true };
  if ("terminal" in streams) return { pty: streams.terminal };
  return { stdout: "pipe", stderr: "pipe", ...(streams.stdin && { stdin: "pipe" }) };
}
