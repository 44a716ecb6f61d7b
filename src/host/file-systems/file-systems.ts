import type { CallOptions } from "../calls.ts";
import { checkAnswer } from "../commands/answer.ts";
import { HostError, agentError } from "../errors.ts";
import type { Session } from "../session.ts";
import type {
  Freeze,
  FreezeStatus,
  FrozenFileSystem,
  HookResult,
  ThawResult,
  TrimmedFileSystem,
} from "./results.ts";
import { dateOf } from "./results.ts";
import { whileFrozen } from "./while-frozen.ts";

/** The session with the agent, for an operation of that name; waits while it is being made. */
export type SessionOf = (what: string, options: CallOptions) => Promise<Session>;

/** Hooks, writing out and freezing have limits in the guest, which come to less. */
const freezeCallSeconds = 180;
const thawCallSeconds = 90;

export interface FreezeOptions {
  /** Where the file systems are mounted; all that can be frozen unless given. */
  mountPoints?: readonly string[] | undefined;
  /** They thaw by themselves after so many seconds; 60 unless given, at most 600. */
  timeoutSeconds?: number | undefined;
  /** Run the guest's hooks; true unless given. */
  hooks?: boolean | undefined;
  /** Where they are in the guest; the folder that its agent is configured with unless given. */
  hookFolder?: string | undefined;
  /** Gives it up; then nothing is frozen. */
  signal?: AbortSignal | undefined;
}

export interface ThawOptions extends CallOptions {
  /** As freeze() gave it; without, whatever is frozen is thawed, whoever has frozen it. */
  token?: string | undefined;
  /** All unless given. */
  mountPoints?: readonly string[] | undefined;
  hooks?: boolean | undefined;
  hookFolder?: string | undefined;
}

export interface TrimOptions extends CallOptions {
  /** All that can be trimmed unless given. */
  mountPoints?: readonly string[] | undefined;
  /** Free ranges smaller than this are left. */
  minimumBytes?: number | undefined;
}

/** Nothing was frozen: how each file system fared, and each hook. */
export class FreezeError extends HostError {
  constructor(
    error: HostError,
    readonly fileSystems: readonly FrozenFileSystem[],
    readonly hooks: readonly HookResult[],
  ) {
    const { agentCode } = error;
    super(error.code, error.message, agentCode === undefined ? {} : { agentCode });
  }
}

/**
 * The guest's file systems: `client.fileSystems`. All reject with a HostError: "agent-error" with the agent's code (QXGA-5005:
 * cannot be frozen, 5006: cannot be thawed, 5007: frozen already, 5008: not frozen, or not by this host, 5010: no such mount
 * point, 5011: a hook failed); "not-supported" by agents that cannot do it.
 */
export class FileSystems {
  readonly #session: SessionOf;

  constructor(session: SessionOf) {
    this.#session = session;
  }

  /**
   * Has file systems written out and stands them still, all or none, for a snapshot that needs no repair. Who writes to them
   * waits. While something is frozen the agent answers little else than thaw() and status(). Rejects with FreezeError when
   * nothing was frozen. See whileFrozen().
   */
  async freeze(options: FreezeOptions = {}): Promise<Freeze> {
    const { mountPoints = [], timeoutSeconds = 0, hooks = true, hookFolder = "", signal } = options;
    const session = await this.#session("freeze", { signal });
    const response = await session.request(
      "quiesce",
      {
        mountPoints: [...mountPoints],
        timeoutSeconds: Math.ceil(timeoutSeconds),
        runPreFreezeScripts: hooks,
        preFreezeScriptDir: hookFolder,
      },
      { signal, timeoutSeconds: freezeCallSeconds, cancel: true },
    );
    if (!response.success) {
      const error = agentError(response.error || "nothing was frozen, and the agent did not say why");
      throw new FreezeError(error, response.frozen, response.hooks);
    }
    return {
      token: response.quiesceToken,
      fileSystems: response.frozen,
      autoThawAt: dateOf(response.autoThawAt),
      hooks: response.hooks,
    };
  }

  /** Lets what is frozen be written to again. */
  async thaw(options: ThawOptions = {}): Promise<ThawResult> {
    const { token = "", mountPoints = [], hooks = true, hookFolder = "", ...call } = options;
    const session = await this.#session("thaw", call);
    const response = await session.request(
      "thaw",
      {
        quiesceToken: token,
        mountPoints: [...mountPoints],
        runPostThawScripts: hooks,
        postThawScriptDir: hookFolder,
      },
      { timeoutSeconds: thawCallSeconds, ...call },
    );
    // With success the error is one of a hook.
    if (!response.success) throw agentError(response.error || "the agent did not thaw, and did not say why");
    return {
      mountPoints: response.thawedMountPoints,
      frozenMs: response.frozenDurationMs,
      hooks: response.hooks,
      warning: response.error,
    };
  }

  /**
   * Freezes, does `work` and thaws, whatever becomes of it. Rejects, and `work` was not begun, when nothing could be frozen;
   * with what `work` rejects with; and with "agent-error" QXGA-5008 when the guest thawed before `work` had ended: a
   * snapshot may then not be consistent. With a client that does not connect again, a lost connection leaves thawing to the
   * guest's timer. What else goes wrong with thawing is an AggregateError beside an error of `work`.
   */
  async whileFrozen<T>(
    options: FreezeOptions,
    work: (freeze: Freeze) => Promise<T>,
  ): Promise<{ value: T; freeze: Freeze; thaw: ThawResult }> {
    return await whileFrozen(this, options, work);
  }

  /** What is frozen, and how the last freeze ended. */
  async status(options: CallOptions = {}): Promise<FreezeStatus> {
    const session = await this.#session("freeze status", options);
    session.require("quiesce_status", "freeze status");
    const response = await session.request("quiesceStatus", {}, options);
    checkAnswer(response);
    const { isFrozen, frozen, frozenAt, autoThawAt, lastThaw, lastWasCutShort } = response;
    return {
      isFrozen,
      fileSystems: frozen,
      frozenAt: dateOf(frozenAt),
      autoThawAt: dateOf(autoThawAt),
      lastThaw: lastThaw as FreezeStatus["lastThaw"],
      lastWasCutShort,
    };
  }

  /** Tells the guest's disks which blocks are unused. Each file system's own error is in the result. May take minutes. */
  async trim(options: TrimOptions = {}): Promise<TrimmedFileSystem[]> {
    const { mountPoints = [], minimumBytes = 0, ...call } = options;
    const session = await this.#session("trim", call);
    session.require("trim", "trim");
    const request = { mountPoints: [...mountPoints], minimumBytes };
    const response = await session.request("trim", request, { timeoutSeconds: 600, ...call, cancel: true });
    if (!response.success && response.trimmed.length === 0) checkAnswer(response);
    return response.trimmed;
  }
}
