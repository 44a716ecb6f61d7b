import type { Freezer } from "../../src/agent/quiesce/freezer.ts";
import type { FileSystem } from "../../src/agent/quiesce/file-systems.ts";
import { type Mount, parseMountinfo } from "../../src/agent/quiesce/mountinfo.ts";

export function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: as the test has it`), { code });
}

/** File systems that a test makes up. Nothing of this machine is frozen. */
export class FakeFreezer implements Freezer {
  /** "freeze /data", in their order. */
  readonly calls: string[] = [];
  /** Mount points. */
  readonly frozen = new Set<string>();
  /** What "freeze /data" fails with, waits for, or does first. */
  readonly answers = new Map<string, Error | Promise<unknown> | (() => void)>();
  readonly images = new Map<string, string[]>();
  guards = 0;
  #mounts: Mount[];
  readonly #open = new Map<number, string>();
  #nextFd = 1000;

  constructor(mountinfo: string) {
    this.#mounts = parseMountinfo(mountinfo);
  }

  get openCount(): number {
    return this.#open.size;
  }

  mounts(): Promise<Mount[]> {
    return Promise.resolve(this.#mounts);
  }

  standingOn(fileSystems: readonly FileSystem[]): Promise<Map<FileSystem, FileSystem[]>> {
    const at = (mountPoint: string): FileSystem[] =>
      fileSystems.filter(({ mounts }) => mounts.some((mount) => mount.mountPoint === mountPoint));
    return Promise.resolve(
      new Map(
        [...this.images].flatMap(([upper, lower]) =>
          at(upper).map((fileSystem) => [fileSystem, lower.flatMap(at)] as const),
        ),
      ),
    );
  }

  open({ mountPoint, id }: Mount): Promise<number | undefined> {
    const top = this.#mounts.filter((mount) => mount.mountPoint === mountPoint).at(-1);
    if (top?.id !== id) return Promise.resolve(undefined);
    this.#open.set(this.#nextFd, mountPoint);
    return Promise.resolve(this.#nextFd++);
  }

  close(fd: number): void {
    this.#open.delete(fd);
  }

  sync(fd: number): Promise<unknown> {
    return this.#call("sync", fd);
  }

  async freeze(fd: number): Promise<void> {
    await this.#call("freeze", fd);
    const name = this.#nameOf(fd);
    if (this.frozen.has(name)) throw errno("EBUSY");
    this.frozen.add(name);
  }

  async thaw(fd: number): Promise<void> {
    await this.#call("thaw", fd);
    if (!this.frozen.delete(this.#nameOf(fd))) throw errno("EINVAL");
  }

  async trim(fd: number, minimumBytes: number): Promise<number> {
    await this.#call("trim", fd);
    return 4096 + minimumBytes;
  }

  guard() {
    this.guards++;
    return {
      frozen: () => undefined,
      release: () => {
        this.guards--;
      },
    };
  }

  #nameOf(fd: number): string {
    const name = this.#open.get(fd);
    if (name === undefined) throw new Error(`descriptor ${fd} is not open`);
    return name;
  }

  async #call(what: string, fd: number): Promise<void> {
    const call = `${what} ${this.#nameOf(fd)}`;
    this.calls.push(call);
    const answer = this.answers.get(call);
    if (answer instanceof Error) throw answer;
    if (typeof answer === "function") answer();
    else await answer;
  }
}

/** A guest with most of what there is to trip over. */
export const mountinfo = String.raw`
21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
22 21 0:20 / /proc rw,nosuid shared:2 - proc proc rw
23 21 0:21 / /run rw shared:3 - tmpfs tmpfs rw,mode=755
24 21 254:15 / /boot/efi rw - vfat /dev/vda15 rw,fmask=0077
25 21 254:17 / /data rw - xfs /dev/vdb rw
26 21 254:17 /pub /srv/pub rw - xfs /dev/vdb rw
27 21 254:33 / /mnt/media ro - ext4 /dev/vdc ro
28 21 7:0 / /mnt/image rw - ext4 /dev/loop0 rw
29 21 0:45 / /mnt/nas rw - nfs4 nas:/x rw,vers=4.2
30 21 0:46 /@ /vol rw - btrfs /dev/vdd rw,subvol=/@
31 21 0:47 /@home /home/my\040files rw - btrfs /dev/vdd rw,subvol=/@home
32 21 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/l,upperdir=/u
33 21 0:51 / /mnt/ssh rw - fuse.sshfs me@x:/ rw
34 21 254:49 / /hidden rw - ext4 /dev/vde rw
35 34 0:52 / /hidden rw - tmpfs tmpfs rw
`;
