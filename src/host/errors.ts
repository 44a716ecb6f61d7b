/** What went wrong, for programs. The message is for people and says what to do. */
export type HostErrorCode =
  /** No VM of that name or id, or no socket at that path. */
  | "not-found"
  /** More than one VM has that name. */
  | "ambiguous"
  /** This user may not open the socket. */
  | "permission-denied"
  /** The socket is there, but no VM serves it. */
  | "not-running"
  /** Another client is connected; QEMU serves one at a time. */
  | "busy"
  /** Connected, but the agent says nothing. */
  | "agent-silent"
  /** The connection ended; calls under way may or may not have been carried out. */
  | "connection-lost"
  /** The agent in the guest started anew; calls under way may or may not have been carried out. */
  | "agent-restarted"
  /** The agent in the guest cannot do this; a newer one may. */
  | "not-supported"
  /** The deadline of the call passed. */
  | "timed-out"
  /** The caller's AbortSignal, or close(). */
  | "aborted"
  /** The agent answered with an error; `agentCode` has its QXGA code. Or it broke the protocol, and there is none. */
  | "agent-error"
  /** More came than the caller allows. */
  | "too-large"
  /** A file of this host could not be read or written; `cause` is the system's error. */
  | "local-file";

export class HostError extends Error {
  override readonly name = "HostError";
  /** "QXGA-4001", with code "agent-error". */
  readonly agentCode: string | undefined;

  constructor(
    readonly code: HostErrorCode,
    message: string,
    options?: ErrorOptions & { agentCode?: string },
  ) {
    super(message, options);
    this.agentCode = options?.agentCode;
  }
}

/** The error for an `error` string of the agent: "QXGA-4001 file not found: /x (ENOENT)". */
export function agentError(text: string): HostError {
  const agentCode = /^QXGA-\d{4}/.exec(text)?.[0];
  return new HostError("agent-error", text, agentCode === undefined ? {} : { agentCode });
}
