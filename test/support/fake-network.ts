import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SystemTools } from "../../src/agent/network/backends/backend.ts";
import { system } from "../../src/agent/network/backends/linux.ts";
import { ChangeRecords } from "../../src/agent/network/change-record.ts";
import type { InterfaceState } from "../../src/agent/network/interfaces.ts";
import { Network, type NetworkOptions } from "../../src/agent/network/network.ts";
import { ToolMissing, type ToolOptions, type ToolResult, failureText } from "../../src/agent/tools/tools.ts";
import { CodedError, type ErrorCode } from "../../src/wire/errors.ts";

export type FakeBackend = "netplan" | "networkmanager" | "networkd" | "none";

/** What a tool of the guest answers; undefined for success without a word. */
export type Answer = (
  program: string,
  args: readonly string[],
  options: ToolOptions,
) => Partial<ToolResult> | undefined | Promise<Partial<ToolResult> | undefined>;

/** A folder as a guest's root, with the programs and folders of one backend, whose tools answer as a test says. */
export class FakeNetwork {
  readonly root: string;
  readonly stateDir: string;
  /** Every tool that was run: "netplan apply". */
  readonly calls: string[] = [];
  readonly logged: string[] = [];
  interfaces: InterfaceState[] = [{ name: "eth0", mtu: 1500, ipv4Addresses: [], ipv6Addresses: [] }];
  uptimeSeconds = 1000;
  bootId = "boot 1";
  answer: Answer = () => undefined;
  readonly #backend: FakeBackend;

  /** In a folder that is there, or one of its own. */
  constructor(backend: FakeBackend, root = mkdtempSync(path.join(tmpdir(), "network-"))) {
    this.#backend = backend;
    this.root = root;
    this.stateDir = path.join(root, "var/lib/limiquantix");
    const folders = {
      netplan: ["etc/netplan"],
      networkmanager: ["etc/NetworkManager/system-connections"],
      networkd: ["etc/systemd/network", "run/systemd/netif"],
      none: [],
    }[backend];
    for (const folder of ["usr/sbin", "sys/class/net/eth0", ...folders])
      mkdirSync(path.join(this.root, folder), { recursive: true });
    const program = { netplan: "netplan", networkmanager: "nmcli", networkd: "networkctl", none: "" }[
      backend
    ];
    if (program === "") return;
    writeFileSync(path.join(this.root, "usr/sbin", program), "");
    chmodSync(path.join(this.root, "usr/sbin", program), 0o755);
  }

  readonly tools: SystemTools = {
    run: async (program, args, options) => {
      const result = await this.#run(program, args, options ?? {});
      options?.signal?.throwIfAborted();
      return result;
    },
    expect: async (code: ErrorCode, program: string, args: readonly string[], options?: ToolOptions) => {
      const result = await this.tools.run(program, args, options);
      if (result.exitCode !== 0 || result.timedOut) throw new CodedError(code, failureText(program, result));
      return result.stdout;
    },
  };

  /** An agent that has just started. Several at once would be a mistake of the test. */
  network(): Network {
    const options: NetworkOptions = {
      backends: system.backends({ root: this.root, stateDir: this.stateDir, tools: this.tools }),
      records: new ChangeRecords(this.stateDir, this.#log),
      interfaces: () => Promise.resolve(this.interfaces),
      setMtu: (name, mtu) => system.setMtu(this.tools, name, mtu),
      log: this.#log,
      uptimeSeconds: () => this.uptimeSeconds,
      bootId: this.bootId,
      settleMs: 0,
    };
    return new Network(options);
  }

  /** What is in a folder: names and contents. */
  files(folder: string): Record<string, string> {
    const place = path.join(this.root, folder);
    if (!existsSync(place)) return {};
    return Object.fromEntries(
      readdirSync(place)
        .sort()
        .map((name) => [name, readFileSync(path.join(place, name), "utf8")]),
    );
  }

  write(file: string, content: string): void {
    mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
    writeFileSync(path.join(this.root, file), content);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  async #run(program: string, args: readonly string[], options: ToolOptions): Promise<ToolResult> {
    this.calls.push([program, ...args].join(" "));
    const answer = await this.answer(program, args, options);
    if (answer === undefined && !this.#knows(program)) throw new ToolMissing(program);
    const usual = program === "nmcli" && args.includes("general") ? "running\n" : "";
    return {
      ...{ exitCode: 0, timedOut: false, truncated: false, stdout: usual, stderr: "", durationMs: 1 },
      ...answer,
    };
  }

  #knows(program: string): boolean {
    return (
      existsSync(path.join(this.root, "usr/sbin", program)) ||
      program === "ip" ||
      (program === "systemctl" && this.#backend === "networkd")
    );
  }

  readonly #log = {
    info: (...args: unknown[]): void => void this.logged.push(JSON.stringify(args)),
    warn: (...args: unknown[]): void => void this.logged.push(JSON.stringify(args)),
    error: (...args: unknown[]): void => void this.logged.push(JSON.stringify(args)),
  };
}
