import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "../../wire/errors.ts";
import { lookUp } from "../commands/identity.ts";
import { withDeadline } from "../deadline.ts";
import { Turns } from "../files/turns.ts";
import { type ToolResult, type Tools, failureText } from "../tools/tools.ts";
import { lockHolder } from "./lock-holder.ts";
import { type Chpasswd, findChpasswd, hasChage } from "./password-tools.ts";
import { passwordLine, scrubbed } from "./secret.ts";
import { checkedUserName } from "./user-name.ts";
import { userEntry } from "./user-files.ts";

export interface PasswordRequest {
  user: string;
  /** A password, or with `hashed` a hash of crypt(5). */
  secret: string;
  hashed: boolean;
  /** The user must choose another at the next login. */
  expire: boolean;
}

export interface PasswordSetter {
  /**
   * Sets a password. Rejects with CodedError: noSuchUser; password, and then nothing was changed unless it says so; or with
   * the signal's reason, as long as nothing has begun.
   */
  set(request: PasswordRequest, signal: AbortSignal): Promise<void>;
}

/** How long a locked user database is waited for, and other changes that come first. */
const deadlineMs = 30_000;

const firstPauseMs = 100;
const longestPauseMs = 1_000;

/** What tools say, in the C locale, when another program has locked the user database: of shadow, of PAM, of busybox. */
const lockedText = /cannot lock |try again later|lock busy|can't create '[^']*\+'/i;

const dayMs = 86_400_000;

type Run = Pick<Tools, "run">;

/** A user's line in shadow(5), as far as it is put back or looked at. */
interface ShadowEntry {
  hash: string;
  /** In days since 1970; "0": the user must choose another password. */
  changedOn: string;
}

/** Passwords of local users, by chpasswd(8) and chage(1), one after the other. */
export class Passwords implements PasswordSetter {
  readonly #tools: Run;
  readonly #etc: string;
  readonly #turns = new Turns();

  /** `etc`: where the user database is. */
  constructor(tools: Run, etc = "/etc") {
    this.#tools = tools;
    this.#etc = etc;
  }

  async set(request: PasswordRequest, signal: AbortSignal): Promise<void> {
    const user = checkedUserName(request.user);
    const line = passwordLine(user, request.secret, request);
    const turn = this.#turns.next("");
    const change = new Change(this.#tools, this.#etc, user, performance.now() + deadlineMs);
    try {
      if (turn.before)
        await withDeadline(turn.before, deadlineMs, () => change.failure("other changes are under way"));
      await change.set(line, request, signal);
    } finally {
      line.fill(0);
      turn.end();
    }
  }
}

/** What a tool could not do, and why. */
class ToolTrouble extends Error {}

/** One user's password on its way. */
class Change {
  readonly #tools: Run;
  readonly #etc: string;
  readonly #user: string;
  readonly #endsAt: number;

  constructor(tools: Run, etc: string, user: string, endsAt: number) {
    this.#tools = tools;
    this.#etc = etc;
    this.#user = user;
    this.#endsAt = endsAt;
  }

  failure(why: string, options?: ErrorOptions): CodedError {
    return new CodedError("password", `cannot set the password of ${this.#user}: ${why}`, options);
  }

  async set(line: Buffer, { secret, hashed, expire }: PasswordRequest, signal: AbortSignal): Promise<void> {
    await this.#requireLocal();
    const before = await this.#shadowEntry();
    const chpasswd = await findChpasswd(this.#tools);
    const changedOn = await this.#changedOn(before, expire);
    try {
      await this.#run("chpasswd", chpasswd.argsFor({ hashed }), { input: line, secret, signal });
    } catch (error) {
      throw error instanceof ToolTrouble ? this.failure(error.message) : error;
    }
    if (changedOn === undefined) return;
    // Only now: to set a password makes it a fresh one.
    try {
      await this.#run("chage", ["-d", changedOn, "--", this.#user], {});
    } catch (error) {
      throw await this.#undone(error as Error, chpasswd, before, expire);
    }
  }

  /** A user of a directory has no password here, and chpasswd would say so in its own way, or ask the directory. */
  async #requireLocal(): Promise<void> {
    const passwd = path.join(this.#etc, "passwd");
    if (await userEntry(passwd, this.#user)) return;
    if ((await lookUp("user", this.#user)) === undefined)
      throw new CodedError("noSuchUser", `there is no user ${this.#user}`);
    throw this.failure(
      `this user is not in ${passwd} but comes from a directory (such as LDAP, SSSD or systemd-homed); set the password there`,
    );
  }

  /** What the day of the last change has to be set to afterwards; undefined when that is right by itself. */
  async #changedOn(before: ShadowEntry | undefined, expire: boolean): Promise<string | undefined> {
    // Some chpasswd leave a user to choose another password who had to before.
    const mustChange = before?.changedOn === "0";
    if (!expire && !mustChange) return undefined;
    if (await hasChage(this.#tools)) {
      if (before) return expire ? "0" : String(Math.floor(Date.now() / dayMs));
      throw this.failure("it cannot expire, as this user has no line in /etc/shadow; nothing was changed");
    }
    if (!expire) return undefined;
    throw this.failure("it cannot expire, as this guest has no chage; nothing was changed");
  }

  async #shadowEntry(): Promise<ShadowEntry | undefined> {
    const fields = await userEntry(path.join(this.#etc, "shadow"), this.#user);
    return fields && { hash: fields[1] ?? "", changedOn: fields[2] ?? "" };
  }

  /** Puts the earlier password back, so that nothing is half done; gives what is to be told. */
  async #undone(
    cause: Error,
    chpasswd: Chpasswd,
    before: ShadowEntry | undefined,
    expire: boolean,
  ): Promise<CodedError> {
    const what = expire ? "it cannot be made to expire" : "the user would still have to choose another";
    const line = Buffer.from(`${this.#user}:${before?.hash ?? ""}\n`);
    try {
      const secret = before?.hash ?? "";
      await this.#run("chpasswd", chpasswd.argsFor({ hashed: true }), { input: line, secret });
      return this.failure(`${what}: ${cause.message}; the earlier password holds`, { cause });
    } catch (error) {
      const { message } = error as Error;
      return this.failure(`${what}: ${cause.message}; the NEW password holds, for ${message}`, { cause });
    } finally {
      line.fill(0);
    }
  }

  /** Runs a tool, and waits for its turn where another program has locked the user database. */
  async #run(
    program: string,
    args: readonly string[],
    { input, secret = "", signal }: { input?: Buffer; secret?: string; signal?: AbortSignal },
  ): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      signal?.throwIfAborted();
      const leftMs = Math.max(this.#endsAt - performance.now(), longestPauseMs);
      // Once it runs it is not to be ended by a host that goes: what it does would be half of the work.
      const result = scrubbed(
        await this.#tools.run(program, args, { ...(input && { input }), timeoutSeconds: leftMs / 1000 }),
        secret,
      );
      if (result.exitCode === 0 && !result.timedOut) return;
      const isLocked = lockedText.test(result.stderr + result.stdout);
      if (!isLocked || result.timedOut || performance.now() + pauseMs > this.#endsAt)
        throw await this.#trouble(program, result, isLocked);
      await sleep(pauseMs);
    }
  }

  async #trouble(program: string, result: ToolResult, isLocked: boolean): Promise<ToolTrouble> {
    const said = failureText(program, result);
    if (!isLocked && !result.timedOut) return new ToolTrouble(said);
    const holder = await lockHolder(this.#etc);
    if (isLocked || holder !== "")
      return new ToolTrouble(`the user database has been locked${holder} for too long; ${said}`);
    return new ToolTrouble(`${said}; whether it is set is not known`);
  }
}
