import type { HostErrorCode } from "../host/errors.ts";
import { codeText } from "../wire/errors.ts";

export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  notThere: 3,
  noAnswer: 4,
  permission: 5,
  busy: 6,
  lost: 7,
  notFrozenLongEnough: 8,
  /** As timeout(1), and a shell, have them. */
  commandTimedOut: 124,
  commandNotExecutable: 126,
  commandNotFound: 127,
  /** signal(7): 128 + SIGINT. */
  interrupted: 130,
} as const;

/** What each exit code means, as --help tells it. */
export const exitCodeMeanings: readonly (readonly [code: number | string, meaning: string])[] = [
  [exitCode.ok, "done"],
  [
    exitCode.failed,
    "the agent answered with an error, a file here cannot be used, or something unexpected happened",
  ],
  [exitCode.usage, "the command line is wrong"],
  [exitCode.notThere, "no such VM or socket, more than one VM of that name, or the VM is not running"],
  [exitCode.noAnswer, "timed out, or no agent answers in the guest"],
  [exitCode.permission, "not allowed to open the socket"],
  [exitCode.busy, "the socket is taken by another client"],
  [exitCode.lost, "the connection was lost, or the agent was restarted, before the answer came"],
  [exitCode.notFrozenLongEnough, "with-freeze: the guest thawed before the command had ended"],
  [exitCode.commandTimedOut, "exec: the command was ended after --timeout"],
  [exitCode.commandNotExecutable, "exec: the command may not be run"],
  [exitCode.commandNotFound, "exec: there is no such command"],
  [exitCode.interrupted, "interrupted with Ctrl-C; other signals: 128 and their number"],
  ["other", "exec, shell and with-freeze: that of the command"],
];

/** Of those errors of an agent that have one of their own. */
export const exitCodeOfAgent: Readonly<Record<string, number>> = {
  [codeText("commandNotFound")]: exitCode.commandNotFound,
  [codeText("commandPermission")]: exitCode.commandNotExecutable,
};

export const exitCodeOf = {
  "agent-error": exitCode.failed,
  "not-supported": exitCode.failed,
  "too-large": exitCode.failed,
  "local-file": exitCode.failed,
  "not-found": exitCode.notThere,
  ambiguous: exitCode.notThere,
  "not-running": exitCode.notThere,
  "timed-out": exitCode.noAnswer,
  "agent-silent": exitCode.noAnswer,
  "permission-denied": exitCode.permission,
  busy: exitCode.busy,
  "connection-lost": exitCode.lost,
  "agent-restarted": exitCode.lost,
  aborted: exitCode.interrupted,
} as const satisfies Record<HostErrorCode, number>;
