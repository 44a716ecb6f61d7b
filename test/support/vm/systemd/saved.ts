import path from "node:path";
import { debForTests, newerVersion } from "../../deb.ts";
import { cached, hashOf } from "../cache.ts";
import { type SystemdImages, buildSystemdImages, copyDisk, identityOf } from "./image.ts";
import { SystemdMachine } from "./machine.ts";

/**
 * A guest with systemd, udev, networkd, netplan and the agent as a service in it, from Debian's packages.
 *
 *     let guest: Awaited<ReturnType<typeof systemdGuest>>;
 *     before(async () => { guest = await systemdGuest(); });
 *
 *     await using machine = await guest.restore();            // a second: the agent runs already
 *     const client = await connect({ socket: machine.agentSocket });
 *     await machine.expect("systemctl is-active ssh");        // a shell of root
 *     await machine.configureAgent("telemetry_interval_secs: 1");
 *
 * Users: root without a password, alice with the password `wonderland`. Disks: /dev/disk/by-id/virtio-scratch (64 MB,
 * ext4), virtio-empty (256 MB of zeros); what is written to these and to the root is gone with the machine. Installed
 * and not running: chrony, ssh. Two network cards, without anybody else: enp0s…, the first with DHCP by netplan.
 * Power: `await machine.poweredOff()`, `halted()`, `rebooted()`; then `powerOn()` where it is off, and `booted()` (about
 * 30 s), with the same disks. The clock stands at the time at which the state was saved.
 *
 * It is made and booted once, then once more for each build of the agent: that one is restored, the agent's disk is
 * exchanged, the .deb on it installed, which starts the service, and its state saved. `moreFiles` are put on that disk: path below /agent → file here.
 */
export async function systemdGuest(
  moreFiles: Record<string, string> = {},
): Promise<{ restore(): Promise<SystemdMachine> }> {
  const images = await buildSystemdImages({
    "/agent/agent.deb": await debForTests(),
    "/agent/newer.deb": await debForTests(newerVersion),
    ...moreFiles,
  });
  const booted = await bootedGuest(images);
  const running = await cached("systemd-running", hashOf(booted, images.agentDisk), async (output) => {
    await copyDisk(diskIn(booted), diskIn(output));
    const disks = { root: diskIn(output), keep: true, agent: images.agentDisk };
    const machine = await SystemdMachine.restore(images, disks, stateIn(booted));
    try {
      // What is remembered of the disk that was there.
      await machine.expect("blockdev --flushbufs /dev/disk/by-id/virtio-agent");
      await machine.expect("systemctl start agent.mount");
      const installed = await machine.run("dpkg --install /agent/agent.deb", { timeoutSeconds: 180 });
      if (installed.exitCode !== 0) throw new Error(`dpkg failed:\n${installed.stdout}`);
      await machine.run(
        "for i in $(seq 300); do pid=$(systemctl show --value --property=MainPID limiquantix-agent); [ -e /proc/$pid/fd/15 ] && break; sleep 0.1; done; sleep 1",
        { timeoutSeconds: 60 },
      );
      await machine.save(stateIn(output));
    } finally {
      await machine.stop();
    }
  });
  const disks = { root: diskIn(running), keep: false, agent: images.agentDisk };
  return { restore: () => SystemdMachine.restore(images, disks, stateIn(running)) };
}

/** Its state and its disk, without the agent's files. */
function bootedGuest(images: SystemdImages): Promise<string> {
  return cached("systemd-booted", identityOf(images), async (output) => {
    await copyDisk(images.rootDisk, diskIn(output));
    const disks = { root: diskIn(output), keep: true, agent: images.noAgentDisk };
    const machine = await SystemdMachine.boot(images, disks);
    try {
      await machine.expect("systemctl stop agent.mount");
      await machine.save(stateIn(output));
    } finally {
      await machine.stop();
    }
  });
}

function diskIn(folder: string): string {
  return path.join(folder, "disk");
}

function stateIn(folder: string): string {
  return path.join(folder, "state");
}
