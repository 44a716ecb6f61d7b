import { constants } from "node:fs";
import path from "node:path";
import { factCount } from "../../native/files.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Policy } from "../policy/policy.ts";
import { isErrno } from "./file-error.ts";
import { Folder } from "./folder.ts";
import { close, fsync, ftruncate } from "./io.ts";
import { mostTries, openForWriting } from "./open-file.ts";
import { type HeldFile, OpenFiles, defaultMode } from "./open-files.ts";
import { PieceMemory } from "./piece-memory.ts";
import { system } from "./system/index.ts";
import { Turns } from "./turns.ts";

/** While a file is written nobody else reads it. */
const unfinishedMode = 0o600;

/** All pieces that wait to be written have this much memory together. */
const memoryBytes = 64 * 1024 * 1024;

export interface PieceToWrite {
  path: string;
  data: Buffer;
  offset: number;
  append: boolean;
  /** It begins the file anew. */
  isFirst: boolean;
  isLast: boolean;
  /** 0 leaves it. */
  mode: number;
  createParents: boolean;
  sparse: boolean;
}

/** Writes files in pieces. */
export class Writing {
  readonly #policy: Pick<Policy, "paths">;
  readonly #open = new OpenFiles();
  /** The pieces that one session sends for one path are written in the order in which they come. */
  readonly #turns = new Turns();
  readonly #memory = new PieceMemory();
  #waitingBytes = 0;

  constructor(policy: Pick<Policy, "paths">) {
    this.#policy = policy;
  }

  /**
   * Called for each piece before it waits for anything; gives a copy of its bytes. `end` must be called when it has been
   * written or given up. Throws CodedError rateLimit when pieces that wait take too much memory.
   */
  begin(
    file: string,
    received: Uint8Array,
    session: string,
  ): { data: Buffer; before: Promise<void> | undefined; end: () => void } {
    const bytes = received.length;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > memoryBytes) {
      throw new CodedError(
        "rateLimit",
        `cannot write ${file}: ${this.#waitingBytes} bytes wait to be written already; send fewer pieces at a time`,
      );
    }
    this.#waitingBytes += bytes;
    const turn = this.#turns.next(`${session}\0${file}`);
    const data = this.#memory.copyOf(received);
    return {
      data,
      before: turn.before,
      end: () => {
        this.#memory.giveBack(data);
        this.#waitingBytes -= bytes;
        turn.end();
      },
    };
  }

  /** Rejects as openForWriting(), with noParentDirectory, and with the system's error. Gives whether it is the session's first. */
  async piece(piece: PieceToWrite, session: string): Promise<{ isFirst: boolean }> {
    const { data } = piece;
    const facts = new Float64Array(factCount);
    for (let tries = 0; tries < mostTries; tries++) {
      const held = await this.#file(piece);
      try {
        if (piece.isFirst && held.stats.size > 0n) await ftruncate(held.fd, 0);
        const { append, sparse, path: file, offset } = piece;
        const written =
          data.length === 0 ||
          (await system.writePiece(held.fd, file, append ? 0 : offset, data, facts, sparse && !append));
        if (!written) {
          this.#open.drop(held); // something else is there now
          continue;
        }
        if (piece.isLast) await this.#finish(held, piece);
        const isFirst = held.auditedFor !== session;
        held.auditedFor = session;
        return { isFirst };
      } catch (error) {
        this.#open.drop(held);
        throw error;
      } finally {
        this.#open.leave(held);
      }
    }
    throw changing(piece.path);
  }

  async #file(piece: PieceToWrite): Promise<HeldFile> {
    const key = `${piece.append ? "append" : "write"} ${piece.path}`;
    const known = piece.isFirst ? undefined : this.#open.get(key);
    if (known === undefined) return await this.#openFile(key, piece);
    this.#open.enter(known);
    return known;
  }

  async #openFile(key: string, { path: file, createParents, append, mode }: PieceToWrite): Promise<HeldFile> {
    const opened = await openForWriting(file, this.#policy.paths, {
      createParents,
      createMode: unfinishedMode,
    }).catch((error: unknown) => {
      throw isErrno(error, "ENOENT") ? noParent(`write ${file}`, file, error) : error;
    });
    let { fd } = opened;
    if (append) {
      try {
        fd = await system.reopen(opened.fd, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
      } finally {
        close(opened.fd);
      }
    }
    const held = this.#open.hold(key, { ...opened, fd });
    if (opened.isNew) held.modeWhenIdle = mode === 0 ? defaultMode : undefined;
    return held;
  }

  /** It is on disk afterwards. The mode comes last: to write to a file takes its setuid bit away. */
  async #finish(held: HeldFile, { mode }: PieceToWrite): Promise<void> {
    const wanted = mode === 0 ? held.modeWhenIdle : mode & 0o7777;
    if (wanted !== undefined) await system.fchmod(held.fd, wanted);
    held.modeWhenIdle = undefined;
    await syncFile(held.fd);
    if (held.isNew) await syncFolder(path.dirname(held.place));
    this.#open.drop(held);
  }
}

/** What is in no disk, as the files of /proc/sys, cannot be synced and need not be. */
async function syncFile(fd: number): Promise<void> {
  await fsync(fd).catch((error: unknown) => {
    if (!isErrno(error, "EINVAL")) throw error;
  });
}

/** Afterwards what was made or renamed in the folder is on disk, if the folder is still there. */
export async function syncFolder(place: string): Promise<void> {
  try {
    const folder = await Folder.open(place);
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  } catch (error) {
    if (!isErrno(error, "ENOENT") && !isErrno(error, "ENOTDIR") && !isErrno(error, "EINVAL")) throw error;
  }
}

/** The folder that something should be made in is not there. */
export function noParent(doing: string, file: string, cause: unknown): CodedError {
  return new CodedError(
    "noParentDirectory",
    `cannot ${doing}: the folder ${path.dirname(file)} is not there (ENOENT)`,
    { cause: cause as Error },
  );
}

export function changing(file: string): CodedError {
  return new CodedError("fileExists", `${file} comes and goes; somebody else is at work there`);
}
