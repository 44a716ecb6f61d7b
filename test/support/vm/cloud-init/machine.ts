import { Qemu } from "../qemu.ts";
import type { CloudImage } from "./image.ts";

/** Until cloud-init has done its work, in an emulated guest on a busy machine. */
const bootSeconds = 300;

/** A guest that boots for the first time, with a seed disk. What it writes is gone with it. */
export class CloudMachine extends Qemu {
  static boot(image: CloudImage, seed: string): Promise<CloudMachine> {
    return new CloudMachine(
      {
        kernel: image.kernel,
        initramfs: image.initramfs,
        memoryMiB: 512,
        disks: [
          { file: image.rootDisk, name: "root", writes: "dropped" },
          { file: seed, name: "seed", writes: "refused" },
        ],
        networkCards: 1,
        bootDeadlineMs: bootSeconds * 1000,
      },
      [],
    ).boot();
  }

  /** What cloud-init says when it is done; it throws when something has failed. */
  async seeded(): Promise<string> {
    const { stdout, exitCode } = await this.run("cloud-init status --wait --long", {
      timeoutSeconds: bootSeconds,
    });
    if (exitCode === 0) return stdout;
    throw new Error(`${stdout}\n${(await this.run("tail -n 40 /var/log/cloud-init-output.log")).stdout}`);
  }
}
