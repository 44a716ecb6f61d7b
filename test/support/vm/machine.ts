import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "../until.ts";
import { type CommandResult, Console } from "./console.ts";
import type { Images } from "./image.ts";
import { Qmp } from "./qmp.ts";

const channelName = "org.limiquantix.agent.0";

/** Under emulation, and with another guest beside it, a boot takes 5 to 20 s. */
const bootDeadlineMs = 120_000;

/** A guest under QEMU with the agent's port, a shell, and a control channel. Ends with the process that made it. */
export class Machine {
  readonly #folder: string;
  readonly #qemu: ChildProcess;
  readonly #errors: () => string;
  #qmp: Qmp | undefined;
  #console: Console | undefined;

  private constructor(images: Images, extra: readonly string[]) {
    this.#folder = mkdtempSync(path.join(tmpdir(), "vm-"));
    // The kernel ends QEMU with us, however we end.
    this.#qemu = spawn(
      "setpriv",
      ["--pdeathsig", "KILL", "qemu-system-x86_64", ...this.#arguments(images), ...extra],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    let errors = "";
    this.#qemu.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
    this.#errors = () => errors;
  }

  /** Boots a guest and waits for its shell. */
  static async boot(images: Images): Promise<Machine> {
    const machine = new Machine(images, []);
    return machine.#started(async () => {
      await machine.#connect();
      await machine.#shell.ready(bootDeadlineMs);
    });
  }

  /** A guest as it was when `state` was saved, from the same images. Its clock stands at that time. */
  static async restore(images: Images, state: string): Promise<Machine> {
    const machine = new Machine(images, ["-incoming", "defer"]);
    return machine.#started(async () => {
      await machine.#connect();
      await machine.qmp.execute("migrate-incoming", { uri: `exec:cat ${state}` });
      await machine.#migrated();
      await until(
        "the guest to run",
        async () => ((await machine.qmp.execute("query-status")) as { running: boolean }).running,
      );
    });
  }

  /** The socket that QEMU serves for the agent's port. */
  get agentSocket(): string {
    return path.join(this.#folder, "agent.sock");
  }

  /** The socket of a second port, for another agent to compare with: org.qemu.guest_agent.0. */
  get otherSocket(): string {
    return path.join(this.#folder, "other.sock");
  }

  get qmp(): Qmp {
    if (this.#qmp === undefined) throw new Error("the guest is not started");
    return this.#qmp;
  }

  /** Saves the guest's state and ends it. */
  async save(file: string): Promise<void> {
    await this.qmp.execute("migrate-set-parameters", { "max-bandwidth": 10_000_000_000 });
    await this.qmp.execute("migrate", { uri: `exec:cat > ${file}` });
    await this.#migrated();
    await this.stop();
  }

  /** Runs a command in the guest's shell. */
  run(command: string, { timeoutSeconds = 30 } = {}): Promise<CommandResult> {
    return this.#shell.run(command, timeoutSeconds);
  }

  /** As run(), for commands that must succeed; gives the output. */
  async expect(command: string): Promise<string> {
    const { stdout, exitCode } = await this.run(command);
    if (exitCode !== 0) throw new Error(`exit code ${exitCode} in the guest of: ${command}\n${stdout}`);
    return stdout;
  }

  /** Starts a Node program in the guest and gives its process id; what it prints goes to `log`. */
  async startNode(args: readonly string[], log: string): Promise<number> {
    const command = args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(" ");
    const environment = "PATH=/node/bin:/bin LD_LIBRARY_PATH=/node/lib HOME=/root";
    return Number(
      await this.expect(
        `env -i ${environment} setsid /node/bin/node ${command} >>${log} 2>&1 </dev/null & echo $!`,
      ),
    );
  }

  /** Starts the agent on its virtio port. */
  startAgent(args: readonly string[] = []): Promise<number> {
    return this.startNode(["/agent/dist/bin/agent.cjs", ...args], "/run/agent.log");
  }

  agentLog(): Promise<string> {
    return this.expect("cat /run/agent.log");
  }

  async unplugPort(): Promise<void> {
    await this.qmp.execute("device_del", { id: "agentport" });
    await this.qmp.event("DEVICE_DELETED", (data) => data.device === "agentport");
  }

  async plugPort(): Promise<void> {
    await this.qmp.execute("device_add", {
      driver: "virtserialport",
      bus: "vs0.0",
      nr: 1,
      chardev: "agent",
      name: channelName,
      id: "agentport",
    });
  }

  /** Ends the guest and removes what it left here. Idempotent. */
  async stop(): Promise<void> {
    if (this.#qemu.exitCode === null && this.#qemu.signalCode === null) {
      const ended = once(this.#qemu, "exit");
      const killer = setTimeout(() => this.#qemu.kill("SIGKILL"), 5_000);
      if (this.#qmp === undefined) this.#qemu.kill("SIGKILL");
      else void this.#qmp.execute("quit").catch(() => undefined); // its end is the answer
      await ended;
      clearTimeout(killer);
    }
    this.#qmp?.close();
    this.#console?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #shell(): Console {
    if (this.#console === undefined) throw new Error("the guest is not started");
    return this.#console;
  }

  #arguments({ kernel, initramfs, nodeDisk, scratchDisk }: Images): string[] {
    const at = (name: string): string => path.join(this.#folder, name);
    const socket = (id: string, file: string): string =>
      `socket,id=${id},path=${at(file)},server=on,wait=off`;
    return [
      ...[
        "-accel",
        "tcg",
        "-cpu",
        "max",
        "-M",
        "q35",
        "-m",
        "256",
        "-display",
        "none",
        "-monitor",
        "none",
        "-no-user-config",
        "-nodefaults",
      ],
      ...["-kernel", kernel, "-initrd", initramfs, "-append", "console=ttyS1 panic=-1 quiet"],
      ...["-chardev", socket("qmp", "qmp.sock"), "-mon", "chardev=qmp,mode=control"],
      ...["-chardev", socket("console", "console.sock"), "-serial", "chardev:console"],
      ...["-serial", `file:${at("kernel.log")}`],
      ...["-chardev", socket("agent", "agent.sock"), "-device", "virtio-serial-pci,id=vs0"],
      ...["-device", `virtserialport,bus=vs0.0,nr=1,chardev=agent,name=${channelName},id=agentport`],
      ...["-chardev", socket("other", "other.sock")],
      ...["-device", "virtserialport,bus=vs0.0,nr=2,chardev=other,name=org.qemu.guest_agent.0"],
      ...["-drive", `file=${nodeDisk},format=raw,if=virtio,readonly=on`],
      ...["-drive", `file=${scratchDisk},format=raw,if=virtio,snapshot=on`],
      ...["-netdev", "user,id=net0,restrict=on", "-device", "virtio-net-pci,netdev=net0"],
    ];
  }

  async #connect(): Promise<void> {
    const [qmp, line] = ["qmp.sock", "console.sock"].map((name) => path.join(this.#folder, name)) as [
      string,
      string,
    ];
    await until("QEMU's sockets", () => {
      if (this.#qemu.exitCode !== null) throw new Error(`QEMU ended with exit code ${this.#qemu.exitCode}`);
      return existsSync(qmp) && existsSync(line);
    });
    this.#console = await Console.connect(line);
    this.#qmp = await Qmp.connect(qmp);
  }

  async #migrated(): Promise<void> {
    await until(
      "the guest's state to be moved",
      async () => {
        const { status } = (await this.qmp.execute("query-migrate")) as { status?: string };
        if (status === "failed") throw new Error("QEMU could not save or restore the guest");
        return status === "completed";
      },
      60_000,
    );
  }

  /** Ends the guest when `start` fails, and says what it and QEMU said. */
  async #started(start: () => Promise<void>): Promise<this> {
    try {
      await start();
      return this;
    } catch (error) {
      const log = path.join(this.#folder, "kernel.log");
      const kernel = existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(-20).join("\n") : "";
      const said = `QEMU: ${this.#errors() || "nothing"}\nkernel: ${kernel || "nothing"}`;
      await this.stop();
      throw new Error(`the guest did not start: ${(error as Error).message}\n${said}`, { cause: error });
    }
  }
}
