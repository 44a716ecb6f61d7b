import path from "node:path";
import { ConfigFiles, type FileSet } from "../config-files.ts";
import type { NetworkDocument } from "../document.ts";
import { interfaceOf, isNetworkdFile, networkdFiles } from "../convert/networkd.ts";
import { planOf } from "../convert/plan.ts";
import { isKernelName } from "../convert/values.ts";
import { type Backend, type BackendOptions, type Change, applySeconds, lookSeconds } from "./backend.ts";
import { hasProgram, isThere } from "./programs.ts";

/** systemd-networkd with nobody above it. */
export class Networkd implements Backend {
  readonly name = "networkd";
  readonly files: ConfigFiles;
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.files = new ConfigFiles(options.root, "/etc/systemd/network", isNetworkdFile);
  }

  async isThere(): Promise<boolean> {
    const { root, tools } = this.#options;
    if (!(await isThere(path.join(root, "/run/systemd/netif")))) return false;
    if (!(await hasProgram(root, "networkctl"))) return false;
    const asked = ["is-active", "--quiet", "systemd-networkd.service"];
    return (await tools.run("systemctl", asked, { timeoutSeconds: lookSeconds })).exitCode === 0;
  }

  render(document: NetworkDocument): FileSet {
    return networkdFiles(
      planOf(document, { title: "systemd-networkd", renderer: "networkd", isName: isKernelName }),
    );
  }

  /** There is no tool that would; what is written is made of checked values. */
  validate(): Promise<void> {
    return Promise.resolve();
  }

  remember(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async apply({ from, to }: Change): Promise<void> {
    const devices = [...from].filter(([name]) => name.endsWith(".netdev"));
    // networkd makes what is new, and neither changes nor removes what is there.
    const outdated = devices.filter(([name, file]) => to.get(name)?.content !== file.content);
    // A VLAN goes with what it is on.
    const vlansFirst = outdated.sort(([, a], [, b]) => Number(isVlan(b.content)) - Number(isVlan(a.content)));
    for (const [file] of vlansFirst) await this.#delete(interfaceOf(file));
    await this.#networkctl("reload");
    // Interfaces whose files are others now are configured anew by that.
    const same = [...to].filter(
      ([name, file]) => name.endsWith(".network") && from.get(name)?.content === file.content,
    );
    const names = await this.#existing(same.map(([file]) => interfaceOf(file)));
    if (names.length > 0) await this.#networkctl("reconfigure", ...names);
  }

  async show(signal: AbortSignal): Promise<string> {
    const { tools } = this.#options;
    const args = ["--no-pager", "--no-legend", "--lines=0", "--all", "status"];
    return await tools.expect("network", "networkctl", args, { signal, timeoutSeconds: lookSeconds });
  }

  async #delete(name: string): Promise<void> {
    if ((await this.#existing([name])).length > 0) await this.#networkctl("delete", name);
  }

  async #existing(names: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const name of names) {
      if (await isThere(path.join(this.#options.root, "/sys/class/net", name))) found.push(name);
    }
    return found;
  }

  async #networkctl(...args: string[]): Promise<void> {
    await this.#options.tools.expect("network", "networkctl", args, { timeoutSeconds: applySeconds });
  }
}

function isVlan(netdev: string): boolean {
  return /^Kind=vlan$/m.test(netdev);
}
