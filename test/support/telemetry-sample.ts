import type { Envelope } from "../../src/wire/envelope.ts";
import { limiquantix } from "../../src/wire/gen/agent.js";

const { InterfaceState } = limiquantix.agent.v1;

type Telemetry = NonNullable<Envelope["telemetry"]>;

const GiB = 1024 ** 3;

/** A report of a small server, with all that an agent of this project sends. */
export function telemetrySample(changes: Partial<Telemetry> = {}): Telemetry {
  return {
    cpuUsagePercent: 34.2,
    memoryTotalBytes: 4 * GiB,
    memoryUsedBytes: 2.5 * GiB,
    memoryAvailableBytes: 1.5 * GiB,
    swapTotalBytes: 1 * GiB,
    swapUsedBytes: 0.8 * GiB,
    loadAvg_1: 0.31,
    loadAvg_5: 0.2,
    loadAvg_15: 0.11,
    processCount: 143,
    uptimeSeconds: 3 * 86_400 + 4 * 3600,
    hostname: "web1.example.org",
    disks: [
      mount("/", "ext4", "/dev/vda1", 20 * GiB, 12),
      mount("/var/lib/postgresql", "xfs", "/dev/mapper/data-postgresql", 1024 * GiB, 93),
      mount("/boot/efi", "vfat", "/dev/vda15", 0.1 * GiB, 6),
    ],
    interfaces: [
      {
        name: "eth0",
        macAddress: "52:54:00:12:34:56",
        ipv4Addresses: ["192.0.2.15/24"],
        ipv6Addresses: ["2001:db8::5054:ff:fe12:3456/64", "fe80::5054:ff:fe12:3456/64"],
        state: InterfaceState.INTERFACE_STATE_UP,
        mtu: 1500,
        rxBytes: 1_000_000,
        txBytes: 500_000,
      },
      {
        name: "eth1",
        macAddress: "52:54:00:12:34:57",
        state: InterfaceState.INTERFACE_STATE_DOWN,
        mtu: 9000,
        rxBytes: 0,
        txBytes: 0,
      },
    ],
    cores: [12, 80, 95, 3].map((usagePercent, index) => ({ index, usagePercent })),
    diskIo: [
      { device: "vda", readBytes: 10_000_000, writeBytes: 20_000_000, busyPercent: 3.2 },
      { device: "vdb", readBytes: 0, writeBytes: 0, busyPercent: 91 },
    ],
    pressure: { cpu: { someAvg10: 1.2 }, memory: { someAvg10: 0 }, io: { someAvg10: 12.5 } },
    unreachableMounts: [
      { mountPoint: "/mnt/backup", filesystem: "nfs4", device: "nas:/backup", unresponsiveSeconds: 95 },
    ],
    ...changes,
  };
}

function mount(
  mountPoint: string,
  filesystem: string,
  device: string,
  totalBytes: number,
  usagePercent: number,
) {
  const usedBytes = (totalBytes * usagePercent) / 100;
  return {
    mountPoint,
    filesystem,
    device,
    totalBytes,
    usedBytes,
    availableBytes: totalBytes - usedBytes,
    usagePercent,
  };
}
