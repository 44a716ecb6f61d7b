import { CodedError } from "../../wire/errors.ts";
import type { Audit } from "../audit/audit.ts";
import { withDeadline } from "../deadline.ts";
import type { Log } from "../log.ts";
import { type ShutdownKind, errorCodeOf } from "./kind.ts";
import { Countdown } from "./countdown.ts";
import { announcement, calledOff, cleanMessage } from "./announcement.ts";
import type { Plan, PlanRecord } from "./record.ts";
import type { PowerSystem } from "./system.ts";
import type { ToolCall } from "../tools/tool-call.ts";

/** Where the guest's shutdown stands. */
type State =
  | { state: "none" }
  | { state: "waiting"; job: Job; countdown: Countdown }
  | { state: "under-way"; plan: Plan; beganAt: number };

/** A plan, how it is done, and who is told when it cannot be. */
interface Job {
  plan: Plan;
  way: ToolCall;
  onFailure: (error: CodedError) => void;
}

/** What a host asks for. */
export interface ShutdownRequest {
  kind: ShutdownKind;
  /** 0 for at once. */
  delaySeconds: number;
  /** For users who are logged in; any text, of which 1,024 characters are shown. */
  message: string;
  /** For the audit: see Streams.sessionName. */
  session: string;
  /** Called when it was accepted, and then could not be done. */
  onFailure: (error: CodedError) => void;
}

/** What a request for a shutdown has come to. */
export interface Accepted {
  /** Undefined for at once. */
  dueAt?: Date;
  replaced: boolean;
  /** The answer is with the host, or will not be: of a shutdown at once, which waits for that. */
  answered?: () => void;
}

export interface ShutdownStatus {
  /** Undefined when there is none. */
  shutdown?: { kind: ShutdownKind; dueAt: Date; message: string; underWay: boolean };
  /** Why one that was asked for has not come; "" otherwise. */
  dropped: string;
}

/** How long a host may take to read the answer, before the guest goes down all the same. */
const answerMs = 5_000;

/** How long a request waits for the disk that tells whether a shutdown waits. */
const restoreMs = 5_000;

/** One that came due this long ago, when no agent ran, is not made up for. */
const longestOverdueSeconds = 600;

/** A guest that is up after this long does not go down any more: another try is let through. */
const stuckSeconds = 600;

/**
 * Takes the guest down, at once or later. At most one shutdown waits; it is kept when the agent is restarted, and the
 * next request takes its place. What has begun cannot be called off.
 */
export class Power {
  readonly #system: PowerSystem;
  readonly #record: Pick<PlanRecord, "read" | "write" | "forget">;
  readonly #thawed: () => Promise<void>;
  readonly #audit: Pick<Audit, "record">;
  readonly #log: Pick<Log, "info" | "warn" | "error">;
  #state: State = { state: "none" };
  #dropped = "";
  #restored: Promise<void> = Promise.resolve();
  /** A host has asked for one: what an earlier agent was asked for does not count any more. */
  #askedSince = false;

  /** `thawed` resolves when no file system is frozen: the snapshot that is being taken is worth the wait, which has an end. */
  constructor(
    system: PowerSystem,
    record: Pick<PlanRecord, "read" | "write" | "forget">,
    thawed: () => Promise<void>,
    audit: Pick<Audit, "record">,
    log: Pick<Log, "info" | "warn" | "error">,
  ) {
    this.#system = system;
    this.#record = record;
    this.#thawed = thawed;
    this.#audit = audit;
    this.#log = log;
  }

  /** To be called once, at start: takes up the shutdown that an earlier agent was asked for, if `allowed`. Never rejects. */
  restore({ allowed }: { allowed: boolean }): Promise<void> {
    return (this.#restored = this.#restore(allowed).catch((error: unknown) => {
      this.#log.warn({ err: error }, "cannot read whether a shutdown was waiting: state_dir cannot be read");
    }));
  }

  /** Rejects with a CodedError when the guest cannot go down that way, or goes down in another already. */
  async request({ kind, delaySeconds, message, session, onFailure }: ShutdownRequest): Promise<Accepted> {
    await this.#known().catch(() => undefined); // a disk that hangs does not keep a guest up
    const way = await this.#system.wayDown(kind);
    if (this.#isUnderWay(this.#state)) {
      const other = this.#state.plan.kind;
      if (other === kind) return { replaced: false };
      throw new CodedError(errorCodeOf(kind), `a ${other} is under way, and cannot be called off`);
    }
    this.#dropped = "";
    this.#askedSince = true;
    const replaced = this.#stopWaiting() !== undefined;
    const dueAt = this.#system.uptimeSeconds() + delaySeconds;
    const plan = { kind, dueAt, message: cleanMessage(message), session };
    const job = { plan, way, onFailure };
    if (delaySeconds === 0) {
      void this.#keep(plan); // the agent may be restarted before the answer is read
      return { replaced, answered: this.#beginWhenAnswered(job) };
    }
    this.#wait(job);
    void this.#tell(announcement(kind, delaySeconds, plan.message));
    await this.#keep(plan);
    return { replaced, dueAt: this.#wallTime(plan) };
  }

  /** Whether one was waiting. Rejects with a CodedError when it is too late. */
  async cancel(): Promise<boolean> {
    await this.#known();
    if (this.#isUnderWay(this.#state)) {
      const { kind } = this.#state.plan;
      throw new CodedError(errorCodeOf(kind), `the ${kind} is under way, and cannot be called off`);
    }
    const plan = this.#stopWaiting();
    if (plan === undefined) return false;
    await this.#forget();
    void this.#tell(calledOff(plan.kind));
    return true;
  }

  async status(): Promise<ShutdownStatus> {
    await this.#known();
    const dropped = this.#dropped;
    if (this.#state.state === "none") return { dropped };
    const underWay = this.#state.state === "under-way";
    const { plan } = this.#state.state === "waiting" ? this.#state.job : this.#state;
    const { kind, message } = plan;
    return { shutdown: { kind, message, dueAt: this.#wallTime(plan), underWay }, dropped };
  }

  /** The agent ends: what waits is taken up by the next one. */
  close(): void {
    this.#stopWaiting();
  }

  async #restore(allowed: boolean): Promise<void> {
    const kept = await this.#record.read();
    if (kept === undefined) return;
    const { plan, isOfThisBoot } = kept;
    const way = await this.#system.wayDown(plan.kind).catch((error: unknown) => error as Error);
    if (this.#askedSince) return;
    const overdueSeconds = this.#system.uptimeSeconds() - plan.dueAt;
    let why = "";
    if (!isOfThisBoot) why = "the guest was started anew before it was due";
    else if (!allowed) why = "shutdowns are switched off in this guest now";
    else if (overdueSeconds > longestOverdueSeconds)
      why = `it was due ${Math.round(overdueSeconds / 60)} minutes before the agent was started again`;
    else if (way instanceof Error) why = way.message;
    if (way instanceof Error || why !== "") {
      this.#drop(plan, why);
      await this.#forget();
      return;
    }
    this.#wait({ plan, way, onFailure: () => undefined });
    this.#log.info(
      { kind: plan.kind, inSeconds: -overdueSeconds },
      "a shutdown that was asked for still waits",
    );
  }

  /** Resolves when it is known whether one waits. Rejects with a CodedError when the disk does not tell in time. */
  async #known(): Promise<void> {
    await withDeadline(this.#restored, restoreMs, () => {
      const message = "it is not known yet whether a shutdown waits: state_dir does not answer; ask again";
      return new CodedError("shutdown", message);
    });
  }

  #wait(job: Job): void {
    const { kind, dueAt, message } = job.plan;
    const countdown = new Countdown(() => this.#system.uptimeSeconds(), dueAt, {
      reminder: (leftSeconds) => {
        void this.#tell(announcement(kind, leftSeconds, message));
      },
      due: () => {
        this.#begin(job.plan);
        void this.#goDown(job);
      },
    });
    this.#state = { state: "waiting", job, countdown };
  }

  #stopWaiting(): Plan | undefined {
    if (this.#state.state !== "waiting") return undefined;
    const { job, countdown } = this.#state;
    countdown.stop();
    this.#state = { state: "none" };
    return job.plan;
  }

  #begin(plan: Plan): void {
    this.#state = { state: "under-way", plan, beganAt: this.#system.uptimeSeconds() };
  }

  /** Gives the function that says that the host has its answer. */
  #beginWhenAnswered(job: Job): () => void {
    this.#begin(job.plan);
    let answered: () => void = () => undefined;
    const answer = new Promise<void>((resolve) => (answered = resolve));
    const deadline = setTimeout(answered, answerMs);
    void answer.then(() => {
      clearTimeout(deadline);
      return this.#goDown(job);
    });
    return answered;
  }

  /** Never rejects. */
  async #goDown({ plan, way, onFailure }: Job): Promise<void> {
    const { kind, session } = plan;
    await this.#thawed();
    this.#log.info({ kind, tool: way.program }, "the guest goes down");
    // Before: what is there at the next start would be told as dropped.
    await Promise.all([this.#forget(), this.#tell(announcement(kind, 0, plan.message))]);
    const record = { operation: "shutdown", session, target: `${kind} with ${way.program}` };
    try {
      await this.#system.takeDown(kind, way, plan.message);
      this.#audit.record({ ...record, outcome: "done" });
    } catch (cause) {
      const error =
        cause instanceof CodedError ? cause : new CodedError(errorCodeOf(kind), String(cause), { cause });
      this.#audit.record({ ...record, outcome: "refused", error: error.wireText });
      this.#state = { state: "none" };
      this.#drop(plan, error.wireText);
      onFailure(error);
    }
  }

  #isUnderWay(state: State): state is Extract<State, { state: "under-way" }> {
    return state.state === "under-way" && this.#system.uptimeSeconds() - state.beganAt < stuckSeconds;
  }

  #drop({ kind }: Plan, why: string): void {
    this.#dropped = `the ${kind} has not come: ${why}`;
    this.#log.warn({ kind }, this.#dropped);
  }

  #wallTime({ dueAt }: Plan): Date {
    return new Date(Date.now() + (dueAt - this.#system.uptimeSeconds()) * 1000);
  }

  /** A guest whose disk is full or read-only must still be able to go down: then it only does not survive a restart of the agent. */
  async #keep(plan: Plan): Promise<void> {
    await this.#record.write(plan).catch((error: unknown) => {
      this.#log.warn(
        { err: error },
        "state_dir cannot be written: if the agent is restarted, it forgets the shutdown",
      );
    });
  }

  async #forget(): Promise<void> {
    await this.#record.forget().catch((error: unknown) => {
      this.#log.warn({ err: error }, "state_dir cannot be written: the shutdown's record stays there");
    });
  }

  async #tell(text: string): Promise<void> {
    await this.#system.tell(text).catch((error: unknown) => {
      this.#log.warn({ err: error }, "users could not be told of the shutdown");
    });
  }
}
