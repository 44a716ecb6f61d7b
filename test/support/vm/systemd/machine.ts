import { until } from "../../until.ts";
import { type Hardware, Qemu } from "../qemu.ts";
import type { SystemdImages } from "./image.ts";

/** The disks that differ between the guests of a set of images. */
export interface OwnDisks {
  root: string;
  /** Whether what the guest writes to its root stays in the file. */
  keep: boolean;
  agent: string;
}

/** Until all units of a guest have started, or it is off: on a busy machine. */
const transitionSeconds = 180;

export class SystemdMachine extends Qemu {
  /** How much the kernel had said when it was last switched on. */
  #saidBefore = 0;

  static async boot(images: SystemdImages, disks: OwnDisks): Promise<SystemdMachine> {
    const machine = await new SystemdMachine(hardwareOf(images, disks), []).boot();
    await machine.started();
    return machine;
  }

  static async restore(images: SystemdImages, disks: OwnDisks, state: string): Promise<SystemdMachine> {
    return new SystemdMachine(hardwareOf(images, disks), ["-incoming", "defer"]).restore(state);
  }

  /** Waits until each unit has started or failed. */
  async started(): Promise<void> {
    // Its exit code tells of failed units as well.
    const { stdout } = await this.run("systemctl is-system-running --wait", {
      timeoutSeconds: transitionSeconds,
    });
    if (stdout.trim() === "running") return;
    throw new Error(`the guest is ${stdout.trim()}:\n${(await this.run("systemctl --failed")).stdout}`);
  }

  /** What the agent has printed, and what systemd says of it. */
  async agentLog(): Promise<string> {
    return this.expect("journalctl --quiet --no-pager --output=cat --unit=limiquantix-agent");
  }

  /** The process id of the service's agent; 0 when there is none. */
  async agentPid(): Promise<number> {
    return Number(await this.expect("systemctl show --value --property=MainPID limiquantix-agent"));
  }

  /** Gives the agent a config file, YAML, and starts it again with that. */
  async configureAgent(config: string): Promise<void> {
    const file = Buffer.from(config).toString("base64");
    await this.expect(
      `echo ${file} | base64 -d >/etc/limiquantix/agent.yaml && systemctl restart limiquantix-agent`,
    );
  }

  /** Waits until the guest has switched itself off. Its disks are still there, see powerOn(). */
  async poweredOff(): Promise<void> {
    await this.qmp.event("SHUTDOWN", ({ reason }) => reason === "guest-shutdown", transitionSeconds * 1000);
  }

  /** Waits until the guest has restarted itself, which is when the old system has ended; see booted(). */
  async rebooted(): Promise<void> {
    await this.qmp.event("RESET", ({ reason }) => reason === "guest-reset", transitionSeconds * 1000);
  }

  /** Waits until the guest has stopped its processor, and is neither off nor boots again. */
  async halted(): Promise<void> {
    await until(
      "the guest to be halted",
      () => this.kernelLog().includes("reboot: System halted", this.#saidBefore),
      transitionSeconds * 1000,
    );
  }

  /** Waits, after rebooted() or powerOn(), until the guest is up again, with the agent; run() works from then on. */
  async booted(): Promise<void> {
    await this.ready();
    await this.started();
  }

  /** Switches a guest on that has switched itself off, or resets one that is halted or hangs; see booted(). */
  async powerOn(): Promise<void> {
    this.#saidBefore = this.kernelLog().length;
    await this.qmp.execute("system_reset");
    await this.qmp.execute("cont");
  }
}

function hardwareOf(images: SystemdImages, disks: OwnDisks): Hardware {
  return {
    kernel: images.kernel,
    initramfs: images.initramfs,
    memoryMiB: 512,
    disks: [
      { file: disks.root, name: "root", writes: disks.keep ? "kept" : "dropped" },
      { file: images.scratchDisk, name: "scratch", writes: "dropped" },
      { file: images.emptyDisk, name: "empty", writes: "dropped" },
      { file: images.nodeDisk, name: "node", writes: "refused" },
      { file: disks.agent, name: "agent", writes: "refused" },
    ],
    networkCards: 2,
    bootDeadlineMs: transitionSeconds * 1000,
  };
}
