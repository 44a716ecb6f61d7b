import path from "node:path";
import { CodedError } from "../../../wire/errors.ts";
import { ToolMissing, failureText } from "../../tools/tools.ts";
import { ConfigFiles, type FileSet } from "../config-files.ts";
import type { NetworkDocument } from "../document.ts";
import { interfaceOf, isKeyfile, keyfiles, uuidOf } from "../convert/keyfiles.ts";
import { planOf } from "../convert/plan.ts";
import { isKernelName } from "../convert/values.ts";
import { type Backend, type BackendOptions, type Change, applySeconds, lookSeconds } from "./backend.ts";
import { hasProgram, isThere } from "./programs.ts";

/** How long a profile may take to be up: DHCP has 45 s. */
const upSeconds = 50;

/** NetworkManager with nobody above it. */
export class NetworkManager implements Backend {
  readonly name = "networkmanager";
  readonly files: ConfigFiles;
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.files = new ConfigFiles(options.root, "/etc/NetworkManager/system-connections", isKeyfile);
  }

  async isThere(): Promise<boolean> {
    if (!(await hasProgram(this.#options.root, "nmcli"))) return false;
    try {
      const { tools } = this.#options;
      const asked = ["-t", "-f", "RUNNING", "general"];
      return (await tools.run("nmcli", asked, { timeoutSeconds: lookSeconds })).stdout.trim() === "running";
    } catch (error) {
      if (error instanceof ToolMissing) return false;
      throw error;
    }
  }

  render(document: NetworkDocument): FileSet {
    return keyfiles(
      planOf(document, { title: "NetworkManager", renderer: "NetworkManager", isName: isKernelName }),
    );
  }

  /** There is no tool that would; what is written is made of checked values. */
  validate(): Promise<void> {
    return Promise.resolve();
  }

  /** The profiles that are up. Ours take their interfaces; without ours they do not all come back by themselves. */
  async remember(): Promise<string[]> {
    const said = await this.#nmcli(lookSeconds, "-t", "-f", "UUID,TYPE", "connection", "show", "--active");
    return said
      .split("\n")
      .filter((line) => /^[0-9a-f-]{36}:/.test(line) && !line.endsWith(":loopback"))
      .map((line) => line.slice(0, 36));
  }

  async apply({ from, to, remembered }: Change): Promise<void> {
    await this.#nmcli(lookSeconds, "connection", "reload");
    const dropped = [...from.keys()].filter((file) => !to.has(file)).map((file) => uuidOf(interfaceOf(file)));
    const others = dropped.length === 0 ? [] : remembered.filter((uuid) => !dropped.includes(uuid));
    const ours = [...to]
      .filter(([, { content }]) => !isPartOfBond(content))
      .sort(([, a], [, b]) => Number(isVlan(a.content)) - Number(isVlan(b.content)))
      .map(([file]) => interfaceOf(file));
    const problems: string[] = [];
    for (const name of ours) problems.push(...(await this.#up(uuidOf(name), name)));
    for (const uuid of others.filter((each) => !ours.some((name) => uuidOf(name) === each)))
      problems.push(...(await this.#up(uuid, uuid)));
    if (problems.length > 0) throw new CodedError("network", problems.join("; "));
  }

  async show(signal: AbortSignal): Promise<string> {
    const { tools } = this.#options;
    const args = ["--colors", "no", "device", "show"];
    return await tools.expect("network", "nmcli", args, { signal, timeoutSeconds: lookSeconds });
  }

  /** Gives what went wrong, for the others are to come up all the same. */
  async #up(uuid: string, name: string): Promise<string[]> {
    const args = ["--wait", String(upSeconds), "connection", "up", "uuid", uuid];
    const result = await this.#options.tools.run("nmcli", args, { timeoutSeconds: applySeconds });
    if (result.exitCode === 0 && !result.timedOut) return [];
    // nmcli(1): 4, activation failed. One that is not plugged in comes up by itself when it is.
    if (
      !(await isThere(path.join(this.#options.root, "/sys/class/net", name))) &&
      /No suitable device/i.test(result.stderr)
    )
      return [];
    return [`${name}: ${failureText("nmcli", result)}`];
  }

  async #nmcli(timeoutSeconds: number, ...args: string[]): Promise<string> {
    return await this.#options.tools.expect("network", "nmcli", args, { timeoutSeconds });
  }
}

/** The bond takes them along. */
function isPartOfBond(keyfile: string): boolean {
  return /^master=/m.test(keyfile);
}

/** What they are on comes first. */
function isVlan(keyfile: string): boolean {
  return /^type=vlan$/m.test(keyfile);
}
