import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The type under which the kernel lists these mounts. */
export const hangingType = "fuse.hanging";

// include/uapi/linux/fuse.h
const opcode = { statfs: 17, init: 26 } as const;
const inHeaderBytes = 40;
const outHeaderBytes = 16;
const blockBytes = 4096;

/**
 * A file system that does not answer, until `answer` is called: as an NFS server that is away, but real in every
 * other way. Make it in a mount namespace of its own (see isolated.ts), since every df on the machine would hang.
 * While nothing has been read from it, whoever waits for it can still be killed.
 */
export class HangingMount {
  readonly mountPoint = mkdtempSync(path.join(tmpdir(), "hanging-"));
  readonly #device = openSync("/dev/fuse", constants.O_RDWR | constants.O_NONBLOCK);
  readonly #buffer = Buffer.alloc(256 * 1024);

  constructor() {
    const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
    const { status, stderr } = spawnSync(
      "mount",
      ["-i", "-t", hangingType, "-o", options, "away", this.mountPoint],
      { stdio: ["ignore", "pipe", "pipe", this.#device], encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
  }

  /** Answers what has been asked so far: statfs with so many blocks of 4 KiB, half of them free. */
  answer(blocks: number): void {
    for (;;) {
      let bytes: number;
      try {
        bytes = readSync(this.#device, this.#buffer);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return;
        throw error;
      }
      assert.ok(bytes >= inHeaderBytes);
      const unique = this.#buffer.readBigUInt64LE(8);
      switch (this.#buffer.readUInt32LE(4)) {
        case opcode.init:
          this.#reply(unique, this.#initAnswer());
          break;
        case opcode.statfs:
          this.#reply(unique, this.#statfsAnswer(blocks));
          break;
        default: // nobody waits for an answer to forget and interrupt
      }
    }
  }

  /** Ends the file system: whoever waits for it gets ENOTCONN. */
  abort(): void {
    closeSync(this.#device);
  }

  #initAnswer(): Buffer {
    const body = Buffer.alloc(64);
    body.writeUInt32LE(7, 0); // version 7.31
    body.writeUInt32LE(31, 4);
    body.writeUInt32LE(4096, 20); // the most that may be written at once
    return body;
  }

  #statfsAnswer(blocks: number): Buffer {
    const body = Buffer.alloc(80);
    body.writeBigUInt64LE(BigInt(blocks), 0);
    body.writeBigUInt64LE(BigInt(blocks / 2), 8); // free
    body.writeBigUInt64LE(BigInt(blocks / 4), 16); // free to users
    body.writeUInt32LE(blockBytes, 40);
    body.writeUInt32LE(255, 44); // longest name
    body.writeUInt32LE(blockBytes, 48); // of a block as counted above
    return body;
  }

  #reply(unique: bigint, body: Buffer): void {
    const header = Buffer.alloc(outHeaderBytes);
    header.writeUInt32LE(outHeaderBytes + body.length, 0);
    header.writeBigUInt64LE(unique, 8);
    writeSync(this.#device, Buffer.concat([header, body]));
  }
}
