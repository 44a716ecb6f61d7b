import { addon } from "../../native/addon.ts";
import { operatingSystem } from "./windows-version.ts";

const key = "HARDWARE\\DESCRIPTION\\System\\BIOS";

/** What the firmware calls its maker and the machine, by the names that the agents of other systems use. */
const hypervisors: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bKVM\b/i, "KVM"],
  [/QEMU|Red Hat|BHYVE|OpenStack|Nutanix|Proxmox|LimiQuantix/i, "QEMU"],
  [/VMware/i, "VMware"],
  [/VirtualBox|innotek/i, "VirtualBox"],
  [/Xen/i, "Xen"],
  [/Microsoft Corporation Virtual Machine/i, "Hyper-V"],
];

/** As on Linux, but from the registry: the package would start PowerShell for it. */
export function systemFeatures(): Promise<Record<string, string>> {
  return Promise.resolve(describeMachine((name) => addon.readRegistry(key, name), operatingSystem().version));
}

/** As systemFeatures, of the values that `read` gives. */
export function describeMachine(
  read: (name: string) => string | number | undefined,
  release: string,
): Record<string, string> {
  const firmware = ["SystemManufacturer", "SystemProductName"]
    .map((name) => String(read(name) ?? ""))
    .join(" ");
  const [, hypervisor = ""] = hypervisors.find(([pattern]) => pattern.test(firmware)) ?? [];
  return {
    virtual: String(hypervisor !== ""),
    virtualization: hypervisor,
    os_release: release,
    os_codename: "",
  };
}
