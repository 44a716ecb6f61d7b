/**
 * The error codes both generations of hosts know, by name. Every `error` string begins with `QXGA-` and one of
 * these. 1xxx transport, 2xxx protocol, 3xxx execute, 4xxx file, 5xxx lifecycle, 6xxx desktop, 7xxx process and
 * service, 8xxx security, 9xxx internal.
 */
export const errorCodes = {
  deviceNotFound: 1001,
  deviceOpenFailed: 1002,
  connectionLost: 1003,
  transportWrite: 1004,
  transportRead: 1005,
  deviceBusy: 1006,
  vsock: 1007,
  transportTimeout: 1008,
  badDevicePath: 1009,
  invalidMessage: 2001,
  unknownType: 2002,
  messageTooLarge: 2003,
  noPayload: 2004,
  badMessageId: 2005,
  encode: 2006,
  decode: 2007,
  messageChecksum: 2008,
  /** An extension. */
  cancelled: 2009,
  commandNotFound: 3001,
  commandPermission: 3002,
  commandTimeout: 3003,
  commandBlocked: 3004,
  noSuchUser: 3005,
  noSuchGroup: 3006,
  cannotSwitchUser: 3007,
  workingDirectory: 3008,
  spawn: 3009,
  outputLimit: 3010,
  /** An extension. */
  noSuchCommand: 3011,
  fileNotFound: 4001,
  fileDenied: 4002,
  fileExists: 4003,
  noParentDirectory: 4004,
  notADirectory: 4005,
  notAFile: 4006,
  pathTraversal: 4007,
  writeBlocked: 4008,
  readBlocked: 4009,
  diskFull: 4010,
  fileTooLarge: 4011,
  badOffset: 4012,
  deleteFailed: 4013,
  createDirectoryFailed: 4014,
  renameFailed: 4015,
  symlinkLoop: 4016,
  /** Extensions, and those below. */
  fileSystemReadOnly: 4017,
  nameTooLong: 4018,
  noSuchTransfer: 4019,
  fileChanged: 4020,
  checksum: 4021,
  fileSystemSilent: 4022,
  shutdown: 5001,
  reboot: 5002,
  password: 5003,
  network: 5004,
  quiesce: 5005,
  thaw: 5006,
  alreadyQuiesced: 5007,
  notQuiesced: 5008,
  clock: 5009,
  mount: 5010,
  hookScript: 5011,
  rateLimit: 8001,
  commandPolicy: 8002,
  pathPolicy: 8003,
  audit: 8004,
  authentication: 8005,
  authorisation: 8006,
  configRead: 9001,
  configInvalid: 9002,
  internal: 9003,
  update: 9004,
  updateChecksum: 9005,
  rollback: 9006,
  telemetry: 9007,
  health: 9008,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** `QXGA-4001` for "fileNotFound". */
export function codeText(code: ErrorCode): string {
  return `QXGA-${errorCodes[code]}`;
}

/** An error that has a code of the protocol. Its text on the wire is `QXGA-nnnn message`. */
export class CodedError extends Error {
  override readonly name = "CodedError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** What a reply's `error` field carries. */
  get wireText(): string {
    return `${codeText(this.code)} ${this.message}`;
  }
}
