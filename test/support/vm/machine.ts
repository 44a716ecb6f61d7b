import type { Images } from "./image.ts";
import { type Hardware, Qemu } from "./qemu.ts";

/** The small guest: busybox, Node.js on a disk, and an agent when a test starts one. */
export class Machine extends Qemu {
  /** Boots a guest and waits for its shell. */
  static async boot(images: Images): Promise<Machine> {
    return new Machine(hardwareOf(images), []).boot();
  }

  /** A guest as it was when `state` was saved, from the same images. Its clock stands at that time. */
  static async restore(images: Images, state: string): Promise<Machine> {
    return new Machine(hardwareOf(images), ["-incoming", "defer"]).restore(state);
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
}

function hardwareOf({ kernel, initramfs, nodeDisk, scratchDisk }: Images): Hardware {
  return {
    kernel,
    initramfs,
    memoryMiB: 256,
    disks: [
      { file: nodeDisk, name: "node", writes: "refused" },
      { file: scratchDisk, name: "scratch", writes: "dropped" },
    ],
    networkCards: 1,
    // Under emulation, and with another guest beside it, a boot takes 5 to 20 s.
    bootDeadlineMs: 120_000,
  };
}
