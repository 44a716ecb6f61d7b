import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "../until.ts";
import { type CommandResult, Console } from "./console.ts";
import { Qmp } from "./qmp.ts";

const channelName = "org.limiquantix.agent.0";

export interface Disk {
  /** Raw. What is written is gone with the guest, unless it is kept. */
  file: string;
  /** The guest finds it as /dev/disk/by-id/virtio-NAME where there is udev, and as /dev/vda, /dev/vdb, … in their order. */
  name: string;
  writes: "refused" | "dropped" | "kept";
}

/** What differs with a guest's processor. The shell is on the first line for programs, and the kernel on another. */
const machines = {
  "x86-64": {
    program: "qemu-system-x86_64",
    args: ["-cpu", "max", "-M", "q35"],
    lines: ["-serial", "chardev:console"],
    kernelLine: "ttyS1",
    ofBus: [],
  },
  // It has one serial line only; the shell's is a virtio one, /dev/hvc0.
  arm64: {
    program: "qemu-system-aarch64",
    args: ["-cpu", "cortex-a57", "-M", "virt"],
    lines: [],
    kernelLine: "ttyAMA0",
    ofBus: ["-device", "virtconsole,bus=vs0.0,nr=3,chardev=console"],
  },
};

/** What a guest is booted from, and what it has. */
export interface Hardware {
  /** x86-64 if not given. */
  processor?: keyof typeof machines;
  kernel: string;
  initramfs: string;
  /** The kernel's, besides those that all guests get. */
  parameters?: string;
  memoryMiB: number;
  disks: readonly Disk[];
  /** Each on a network without anybody else. */
  networkCards: number;
  /** How long it may take until the shell is there. */
  bootDeadlineMs: number;
}

/**
 * A guest under QEMU with the agent's port, a shell on its first serial line, and a control channel. Ends with the
 * process that made it. When a guest powers off, QEMU stays, paused: see SystemdMachine.
 */
export class Qemu {
  readonly #hardware: Hardware;
  readonly #folder: string;
  readonly #qemu: ChildProcess;
  readonly #errors: () => string;
  #qmp: Qmp | undefined;
  #console: Console | undefined;

  /** For boot() and restore(). */
  constructor(hardware: Hardware, extra: readonly string[]) {
    this.#hardware = hardware;
    this.#folder = mkdtempSync(path.join(tmpdir(), "vm-"));
    // The kernel ends QEMU with us, however we end.
    this.#qemu = spawn(
      "setpriv",
      [
        "--pdeathsig",
        "KILL",
        machines[hardware.processor ?? "x86-64"].program,
        ...this.#arguments(hardware),
        ...extra,
      ],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    let errors = "";
    this.#qemu.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
    this.#errors = () => errors;
  }

  /** Boots a guest and waits for its shell. */
  protected async boot(): Promise<this> {
    return this.#started(async () => {
      await this.#connect();
      await this.ready();
    });
  }

  /** A guest as it was when `state` was saved, with the same hardware. Its clock stands at that time. */
  protected async restore(state: string): Promise<this> {
    return this.#started(async () => {
      await this.#connect();
      await this.qmp.execute("migrate-incoming", { uri: `exec:cat ${state}` });
      await this.#migrated();
      await until(
        "the guest to run",
        async () => ((await this.qmp.execute("query-status")) as { running: boolean }).running,
      );
    });
  }

  /** Waits for the shell of a guest that boots. */
  protected ready(): Promise<void> {
    return this.#shell.ready(this.#hardware.bootDeadlineMs);
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

  /** What the kernel has said. */
  kernelLog(): string {
    const file = path.join(this.#folder, "kernel.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
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

  #arguments(hardware: Hardware): string[] {
    const at = (name: string): string => path.join(this.#folder, name);
    const socket = (id: string, file: string): string =>
      `socket,id=${id},path=${at(file)},server=on,wait=off`;
    const { args, lines, kernelLine, ofBus } = machines[hardware.processor ?? "x86-64"];
    return [
      ...["-accel", "tcg", ...args, "-m", String(hardware.memoryMiB)],
      ...["-display", "none", "-monitor", "none", "-no-user-config", "-nodefaults"],
      ...["-action", "shutdown=pause"],
      ...["-kernel", hardware.kernel, "-initrd", hardware.initramfs],
      ...["-append", `console=${kernelLine} panic=-1 quiet ${hardware.parameters ?? ""}`],
      ...["-chardev", socket("qmp", "qmp.sock"), "-mon", "chardev=qmp,mode=control"],
      ...["-chardev", socket("console", "console.sock"), ...lines],
      ...["-serial", `file:${at("kernel.log")}`],
      ...["-chardev", socket("agent", "agent.sock"), "-device", "virtio-serial-pci,id=vs0"],
      ...["-device", `virtserialport,bus=vs0.0,nr=1,chardev=agent,name=${channelName},id=agentport`],
      ...["-chardev", socket("other", "other.sock")],
      ...["-device", "virtserialport,bus=vs0.0,nr=2,chardev=other,name=org.qemu.guest_agent.0"],
      ...ofBus,
      ...hardware.disks.flatMap(({ file, name, writes }) => [
        "-drive",
        `file=${file},format=raw,if=none,id=${name}${{ refused: ",readonly=on", dropped: ",snapshot=on", kept: "" }[writes]}`,
        "-device",
        `virtio-blk-pci,drive=${name},serial=${name}`,
      ]),
      ...Array.from({ length: hardware.networkCards }, (_, i) => [
        ...["-netdev", `user,id=net${i},restrict=on`, "-device", `virtio-net-pci,netdev=net${i},id=card${i}`],
      ]).flat(),
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
      const kernel = this.kernelLog().split("\n").slice(-20).join("\n");
      const said = `QEMU: ${this.#errors() || "nothing"}\nkernel: ${kernel || "nothing"}`;
      await this.stop();
      throw new Error(`the guest did not start: ${(error as Error).message}\n${said}`, { cause: error });
    }
  }
}
