import { mkdir, unlink } from "node:fs/promises";
import path from "node:path";
import { ConfigFiles, type FileSet, writeNew } from "../config-files.ts";
import { netshScript } from "../convert/netsh.ts";
import { planOf } from "../convert/plan.ts";
import type { NetworkDocument } from "../document.ts";
import { isErrno } from "../../files/file-error.ts";
import { type Backend, type BackendOptions, type Change, applySeconds, lookSeconds } from "./backend.ts";

const script = "limiquantix-network.netsh";

/** Windows: what is configured is a script of netsh, and what was there before is netsh's own dump of it. */
export class Netsh implements Backend {
  readonly name = "netsh";
  readonly files: ConfigFiles;
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.files = new ConfigFiles("", path.join(options.stateDir, "netsh"), (name) => name === script);
  }

  isThere(): Promise<boolean> {
    return Promise.resolve(true); // a part of every Windows
  }

  render(document: NetworkDocument): FileSet {
    const plan = planOf(document, { title: "Windows", renderer: "netsh", isName: () => true });
    return new Map([[script, { mode: 0o600, content: netshScript(plan) }]]);
  }

  /** netsh has no way to try a script. */
  validate(): Promise<void> {
    return Promise.resolve();
  }

  async remember(): Promise<string[]> {
    return [await this.#netsh("interface", "dump")];
  }

  /** Coming back is the dump: it begins with a reset of what it sets. */
  async apply({ to, remembered: [dump = ""] }: Change): Promise<void> {
    if (to.has(script)) await this.#netsh("exec", path.join(this.files.place, script));
    else await this.#execute(dump);
  }

  async show(signal: AbortSignal): Promise<string> {
    const args = ["interface", "dump"];
    return await this.#options.tools.expect("network", "netsh.exe", args, {
      signal,
      timeoutSeconds: lookSeconds,
    });
  }

  async #execute(content: string): Promise<void> {
    const file = path.join(this.files.place, "before.netsh");
    await mkdir(this.files.place, { recursive: true });
    await remove(file);
    await writeNew(file, { mode: 0o600, content });
    try {
      await this.#netsh("exec", file);
    } finally {
      await remove(file);
    }
  }

  async #netsh(...args: string[]): Promise<string> {
    return await this.#options.tools.expect("network", "netsh.exe", args, { timeoutSeconds: applySeconds });
  }
}

async function remove(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw error;
  });
}
