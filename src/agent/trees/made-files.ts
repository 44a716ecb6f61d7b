import { randomInt } from "node:crypto";

/** 40 bytes each in V8's set. */
const mostRemembered = 1_000_000;

/**
 * Which files a stream has made, by path. It keeps a number of 53 bits for each, which depends on a secret: nobody can
 * make up a path that passes for another.
 */
export class MadeFiles {
  readonly #seed = randomInt(2 ** 32);
  readonly #hashes = new Set<number>();

  add(path: string): void {
    if (this.#hashes.size < mostRemembered) this.#hashes.add(this.#hash(path));
  }

  has(path: string): boolean {
    return this.#hashes.has(this.#hash(path));
  }

  /** Others may have been made that it does not know. */
  get isFull(): boolean {
    return this.#hashes.size >= mostRemembered;
  }

  /** cyrb53, in the public domain. */
  #hash(path: string): number {
    let a = 0xdeadbeef ^ this.#seed;
    let b = 0x41c6ce57 ^ this.#seed;
    for (let index = 0; index < path.length; index++) {
      const unit = path.charCodeAt(index);
      a = Math.imul(a ^ unit, 2654435761);
      b = Math.imul(b ^ unit, 1597334677);
    }
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return 4294967296 * (2097151 & b) + (a >>> 0);
  }
}
