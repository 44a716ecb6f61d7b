import path from "node:path";
import * as v from "valibot";
import type { NetworkAdapters } from "../../../native/windows.ts";
import { CodedError } from "../../../wire/errors.ts";
import { withDeadline } from "../../deadline.ts";
import { explained } from "../../windows-error.ts";
import { ConfigFiles, type FileSet } from "../config-files.ts";
import { planOf } from "../convert/plan.ts";
import type { NetworkDocument } from "../document.ts";
import { adapterFor } from "../windows/adapters.ts";
import { type NetshCall, addressCalls, otherCalls } from "../windows/commands.ts";
import { shown } from "../windows/show.ts";
import { type AdapterState, stateOf, stateSchema, target } from "../windows/state.ts";
import { type Wanted, wantedOf, wantedSchema } from "../windows/wanted.ts";
import { type Backend, type BackendOptions, type Change, applySeconds } from "./backend.ts";

const file = "limiquantix-network.json";
const configSchema = v.strictObject({ version: v.literal(1), adapters: v.array(wantedSchema) });

/** How long Windows may take to tell how its adapters are configured. */
const lookMs = 20_000;

/** Where an adapter is to come to. */
interface Step {
  guid: string;
  to: (now: AdapterState) => AdapterState;
  /** The routes that this agent has set, and may take away. */
  ours: Wanted["routes"];
}

/**
 * Windows. What is wanted is compared with what Windows says, and netsh is called for the difference: once for each
 * setting, without a shell or a script, so that the first that fails ends the change. What there was before comes back
 * the same way.
 */
export class Netsh implements Backend {
  readonly name = "netsh";
  readonly files: ConfigFiles;
  readonly #tools: BackendOptions["tools"];
  readonly #adapters: NetworkAdapters;

  constructor({ tools, stateDir }: BackendOptions, adapters: NetworkAdapters) {
    this.#tools = tools;
    this.#adapters = adapters;
    this.files = new ConfigFiles("", path.join(stateDir, "netsh"), (name) => name === file);
  }

  isThere(): Promise<boolean> {
    return Promise.resolve(true); // a part of every Windows
  }

  render(document: NetworkDocument): FileSet {
    const plan = planOf(document, { title: "Windows", renderer: "netsh", isName: () => true });
    const config = { version: 1, adapters: plan.map(wantedOf) } as const;
    return new Map([[file, { mode: 0o600, content: `${JSON.stringify(config, undefined, 2)}\n` }]]);
  }

  async validate(files: FileSet, signal: AbortSignal): Promise<void> {
    const adapters = await this.#look();
    signal.throwIfAborted();
    const guids = wantedIn(files).map((each) => adapterFor(each, adapters).guid);
    const twice = guids.find((guid, i) => guids.indexOf(guid) !== i);
    if (twice === undefined) return;
    const name = adapters.find(({ guid }) => guid === twice)?.name ?? twice;
    throw new CodedError("network", `two of the document's interfaces are the adapter ${name}`);
  }

  async remember(): Promise<string[]> {
    return (await this.#look()).map((each) => JSON.stringify(stateOf(each)));
  }

  async apply({ from, to }: Change): Promise<void> {
    const adapters = await this.#look();
    const earlier = wantedIn(from);
    const steps = wantedIn(to).map((wanted): Step => {
      const { guid } = adapterFor(wanted, adapters);
      return { guid, to: (now) => target(wanted, now), ours: routesOf(wanted.name, earlier) };
    });
    await this.#carryOut(steps);
  }

  /** Of what was remembered, the adapters that the change was about; another's may have changed meanwhile. */
  async restore({ from, remembered }: Change): Promise<void> {
    const adapters = await this.#look();
    const states = remembered.map((text) => v.parse(stateSchema, JSON.parse(text)));
    const steps = wantedIn(from).flatMap((wanted): Step[] => {
      const { guid } = adapterFor(wanted, adapters);
      const state = states.find((each) => each.guid === guid);
      return state ? [{ guid, to: () => state, ours: wanted.routes }] : []; // it was not there then
    });
    await this.#carryOut(steps);
  }

  async show(signal: AbortSignal): Promise<string> {
    const adapters = await this.#look();
    signal.throwIfAborted();
    return shown(adapters);
  }

  async #carryOut(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#call(step, addressCalls);
    for (const step of steps)
      await this.#call(step, (index, now, to) => otherCalls(index, now, to, step.ours));
  }

  async #call(
    { guid, to }: Step,
    calls: (index: number, now: AdapterState, to: AdapterState) => NetshCall[],
  ): Promise<void> {
    const adapter = (await this.#look()).find((each) => each.guid === guid);
    if (!adapter) throw new CodedError("network", `the adapter ${guid} is gone`);
    const now = stateOf(adapter);
    for (const args of calls(adapter.index, now, to(now))) await this.#netsh(args);
  }

  async #look(): ReturnType<NetworkAdapters> {
    try {
      return await withDeadline(this.#adapters(), lookMs);
    } catch (cause) {
      throw new CodedError("network", `cannot read the network adapters: ${explained(cause)}`, { cause });
    }
  }

  async #netsh(args: NetshCall): Promise<void> {
    try {
      await this.#tools.expect("network", netshProgram(), args, { timeoutSeconds: applySeconds });
    } catch (cause) {
      if (!(cause instanceof CodedError)) throw cause;
      throw new CodedError("network", `netsh ${args.join(" ")}: ${cause.message}`, { cause });
    }
  }
}

/** Not by PATH, which programs of the guest add folders to. */
function netshProgram(): string {
  return path.win32.join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", "netsh.exe");
}

/** Throws CodedError network for a file that this agent has not written. */
function wantedIn(files: FileSet): Wanted[] {
  const content = files.get(file)?.content;
  if (content === undefined) return [];
  try {
    return v.parse(configSchema, JSON.parse(content)).adapters;
  } catch (cause) {
    throw new CodedError("network", `${file} in state_dir cannot be read; remove it`, { cause });
  }
}

function routesOf(name: string, earlier: readonly Wanted[]): Wanted["routes"] {
  return earlier.find((each) => each.name === name)?.routes ?? [];
}
