import { existsSync } from "node:fs";
import { mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import * as v from "valibot";
import { readBootId } from "../platform/index.ts";
import { withDeadline } from "../deadline.ts";
import { isErrno } from "../files/file-error.ts";
import { Queue } from "../queue.ts";
import { ignoreAbsence } from "../transfers/litter.ts";
import { shutdownKinds } from "./kind.ts";

const planSchema = v.object({
  kind: v.picklist(shutdownKinds),
  /** In seconds since the guest was started: a step of its clock changes nothing. */
  dueAt: v.number(),
  message: v.string(),
  /** Who asked: see Streams.sessionName. */
  session: v.string(),
});
const recordSchema = v.object({ bootId: v.string(), plan: planSchema });

/** A shutdown that is to come. */
export type Plan = v.InferOutput<typeof planSchema>;

/** A disk that takes longer must not hold a shutdown up. */
const diskMs = 2_000;

/** The shutdown that waits, as a file in state_dir: the agent may be restarted meanwhile. */
export class PlanRecord {
  readonly #file: string;
  readonly #bootId = readBootId();
  readonly #turns = new Queue();

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, "shutdown.json");
  }

  /**
   * What is kept, and whether it is of this start of the guest; undefined when there is none that can be read. Waits as
   * long as the disk takes: while a guest boots that may be long.
   */
  read(): Promise<{ plan: Plan; isOfThisBoot: boolean } | undefined> {
    return this.#turns.run(undefined, async () => {
      if (!existsSync(this.#file)) return undefined; // without starting libuv's threads
      try {
        const { plan, bootId } = v.parse(recordSchema, JSON.parse(await readFile(this.#file, "utf8")));
        return { plan, isOfThisBoot: bootId !== "" && bootId === this.#bootId };
      } catch (error) {
        if (error instanceof SyntaxError || v.isValiError(error) || isErrno(error, "ENOENT"))
          return undefined;
        throw error;
      }
    });
  }

  write(plan: Plan): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
      const temporary = `${this.#file}.new`;
      await writeFile(temporary, JSON.stringify({ bootId: this.#bootId, plan }), { mode: 0o600 });
      await rename(temporary, this.#file);
    });
  }

  forget(): Promise<void> {
    return this.#inTurn(() => unlink(this.#file).catch(ignoreAbsence));
  }

  /** Rejects when the disk does not answer in time; what was begun goes on. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const late = (): Error => new Error(`${this.#file}: the disk did not answer in time`);
    return withDeadline(this.#turns.run(undefined, work), diskMs, late);
  }
}
