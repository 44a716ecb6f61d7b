import { checkAnswer } from "../commands/answer.ts";
import type { SessionOf } from "../files/files.ts";
import type { Message } from "../messages.ts";

/** A guest that has its user database locked is waited for this long by the agent; then comes the answer. */
const passwordSeconds = 60;

/** How long keys may take: the agent gives up on a home that does not answer before that. */
const keysSeconds = 60;

export interface UserOptions {
  /** Gives the call up, and tells the agent so. */
  signal?: AbortSignal | undefined;
  /** Seconds until it fails with "timed-out"; 60 unless given. */
  timeoutSeconds?: number | undefined;
}

export interface PasswordOptions extends UserOptions {
  /** The user must choose another at the next login. */
  expire?: boolean | undefined;
  /** The password is a hash of crypt(5): $y$, $gy$, $6$, $5$ or $2b$. */
  hashed?: boolean | undefined;
}

/** A key that a user may log in with. Of a line that the agent does not understand there is the line alone. */
export type SshKey = Message<"sshKeyListResponse">["keys"][number];

/**
 * The guest's users: `client.users`. All reject with a HostError: "agent-error" with the agent's code (QXGA-3005: no such
 * user, 5003: the password could not be set, 2001: no key, …); "not-supported" by agents without the extension "users",
 * where there is no other way.
 */
export class Users {
  readonly #session: SessionOf;

  constructor(session: SessionOf) {
    this.#session = session;
  }

  /** Sets the password of a local user of the guest. When it rejects, nothing was changed unless the message says so. */
  async setPassword(
    user: string,
    password: string,
    { expire = false, hashed = false, signal, timeoutSeconds = passwordSeconds }: PasswordOptions = {},
  ): Promise<void> {
    const options = { signal, timeoutSeconds };
    const session = await this.#session("setPassword", options);
    // Another agent would take the hash for the password itself.
    if (hashed) session.require("users", "a password that is a hash");
    const request = { username: user, newPassword: password, expire, hashed };
    checkAnswer(await session.request("resetPassword", request, { ...options, cancel: true }));
  }

  /** The keys in the user's ~/.ssh/authorized_keys, in its order. */
  async sshKeys(user: string, { signal, timeoutSeconds = keysSeconds }: UserOptions = {}): Promise<SshKey[]> {
    const options = { signal, timeoutSeconds };
    const session = await this.#session("sshKeys", options);
    session.require("users", "sshKeys");
    const response = await session.request("sshKeyList", { username: user }, { ...options, cancel: true });
    checkAnswer(response);
    return response.keys;
  }

  /**
   * Adds keys, each a line of authorized_keys: those that are not there yet. With `replace` they take the place of the whole
   * file. Gives how many are new.
   */
  async addSshKeys(
    user: string,
    keys: readonly string[],
    {
      replace = false,
      signal,
      timeoutSeconds = keysSeconds,
    }: UserOptions & { replace?: boolean | undefined } = {},
  ): Promise<{ added: number }> {
    const options = { signal, timeoutSeconds };
    const session = await this.#session("addSshKeys", options);
    session.require("users", "addSshKeys");
    const request = { username: user, keys: [...keys], replace };
    const response = await session.request("sshKeyAdd", request, { ...options, cancel: true });
    checkAnswer(response);
    return { added: response.added };
  }

  /** Removes keys, each given by its line, or by its fingerprint: "SHA256:…". Gives how many were there. */
  async removeSshKeys(
    user: string,
    keys: readonly string[],
    { signal, timeoutSeconds = keysSeconds }: UserOptions = {},
  ): Promise<{ removed: number }> {
    const options = { signal, timeoutSeconds };
    const session = await this.#session("removeSshKeys", options);
    session.require("users", "removeSshKeys");
    const request = { username: user, keys: [...keys] };
    const response = await session.request("sshKeyRemove", request, { ...options, cancel: true });
    checkAnswer(response);
    return { removed: response.removed };
  }
}
