import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before } from "node:test";
import { type CtlOptions, type CtlResult, ctl, startCtl } from "./ctl.ts";
import { Daemon } from "./daemon.ts";

/** The real daemon for all tests of a file, as the agent of a VM named web1; this machine is its guest. */
export class DaemonVm {
  #daemon: Daemon | undefined;

  constructor() {
    before(async () => {
      this.#daemon = new Daemon();
      const folder = path.join(this.root, "var/run/limiquantix/vms");
      mkdirSync(folder, { recursive: true });
      this.#daemon.start({ port: `unix-listen:${path.join(folder, "web1.agent.sock")}` });
      await ctl(["wait", "--vm", "web1"], this.options);
    });
    after(async () => {
      await this.#daemon?.[Symbol.asyncDispose]();
    });
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error("no test runs");
    return this.#daemon;
  }

  /** Where VMs are looked for. */
  get root(): string {
    return this.daemon.folder;
  }

  get options(): CtlOptions & { env: Record<string, string> } {
    return { env: { LIMIQUANTIX_ROOT: this.root } };
  }

  /** Runs limiquantix-ctl. */
  run(...words: string[]): Promise<CtlResult> {
    return ctl(words, this.options);
  }

  start(words: readonly string[], options: CtlOptions = {}): ReturnType<typeof startCtl> {
    return startCtl(words, { ...this.options, ...options });
  }
}
