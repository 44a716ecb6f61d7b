/** What is done at the same time, each by the names that it concerns; after an error nothing more is begun. */
export class Tasks {
  readonly #most: number;
  readonly #underWay = new Set<Promise<void>>();
  readonly #byName = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #failure: { error: unknown } | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Starts `work` when what concerns the same names has ended. Whether there is room was asked before, by room(). */
  start(names: readonly string[], work: () => Promise<void>): void {
    const before = names.map((name) => this.#byName.get(name)).filter((promise) => promise !== undefined);
    const promise = (before.length > 0 ? Promise.all(before).then(work) : work())
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#underWay.delete(promise);
        for (const name of names) {
          if (this.#byName.get(name) === promise) this.#byName.delete(name);
        }
        this.#waiting.shift()?.();
      });
    this.#underWay.add(promise);
    for (const name of names) this.#byName.set(name, promise);
  }

  /** Resolves when fewer than the most are under way. Rejects with the error of one that has failed. */
  async room(): Promise<void> {
    while (this.#underWay.size >= this.#most)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.throwIfFailed();
  }

  /** Resolves when nothing that concerns this name is under way. Rejects as room(). */
  async ended(name: string): Promise<void> {
    for (let last = this.#byName.get(name); last; last = this.#byName.get(name)) await last;
    this.throwIfFailed();
  }

  /** Resolves when nothing is under way. */
  async allEnded(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
