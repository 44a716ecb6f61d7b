import { randomBytes } from "node:crypto";
import { CodedError } from "../../wire/errors.ts";
import type { Command } from "./command.ts";
import { LiveCommand, type LiveOptions } from "./live-command.ts";

/** What a host asked for, to tell commands apart in a list. */
export interface LiveFacts {
  command: string;
  args: readonly string[];
  user: string;
  terminal: boolean;
  /** Milliseconds since 1970. */
  startedAt: number;
}

/** Live commands at once: each may hold three pipes and some memory. */
const mostCommands = 128;

/** Kept commands that have ended and nobody has asked for; the oldest go. */
const mostEnded = 32;

/** Kept commands whose end has been told a moment ago, for the case that the host did not get it. */
const mostTold = 8;

/** The live commands of this agent, by their ids. */
export class LiveCommands {
  /** Unlike those of an agent that ran before: a host must not attach to another command than it means. */
  #prefix: string | undefined;
  readonly #commands = new Map<string, { live: LiveCommand; facts: LiveFacts }>();
  #counter = 0;
  #starting = 0;

  /**
   * Keeps room for one that is being started; gives the function that takes it back. Throws CodedError spawn when there
   * are too many.
   */
  reserve(): () => void {
    this.#forgetOldest();
    const places = mostCommands - this.#starting;
    if (this.#commands.size >= places) {
      throw new CodedError("spawn", `${mostCommands} live commands run already; end one first`);
    }
    this.#starting++;
    return () => {
      this.#starting--;
    };
  }

  /** Takes over `command`. Throws CodedError spawn, and then the command is ended. */
  add(command: Command, options: LiveOptions, facts: LiveFacts): LiveCommand {
    this.#prefix ??= randomBytes(4).toString("hex");
    const id = `${this.#prefix}-${++this.#counter}`;
    let live: LiveCommand;
    try {
      live = new LiveCommand(id, command, options, () => this.#commands.delete(id));
    } catch (cause) {
      command.release();
      void command.kill();
      throw new CodedError("spawn", `cannot start ${facts.command}: ${(cause as Error).message}`, { cause });
    }
    this.#commands.set(id, { live, facts });
    void command.exited.then(() => {
      this.#forgetOldest();
    });
    return live;
  }

  /** Throws CodedError noSuchCommand. */
  get(id: string): LiveCommand {
    const found = this.#commands.get(id);
    if (found) return found.live;
    throw new CodedError("noSuchCommand", `there is no live command ${id}; it may have ended`);
  }

  /** Oldest first, without those whose host knows of their end. */
  list(): { live: LiveCommand; facts: LiveFacts }[] {
    return [...this.#commands.values()].filter(({ live }) => !live.told);
  }

  factsOf({ id }: LiveCommand): LiveFacts | undefined {
    return this.#commands.get(id)?.facts;
  }

  #forgetOldest(): void {
    const all = [...this.#commands.values()].map(({ live }) => live);
    const told = all.filter((live) => live.told);
    const unread = all.filter((live) => !live.running && !live.attached);
    for (const live of [...told.slice(0, -mostTold), ...unread.slice(0, -mostEnded)]) live.forget();
  }
}
