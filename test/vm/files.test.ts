import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, HostError, connect } from "../../src/host/index.ts";
import { ctl } from "../support/ctl.ts";
import { until } from "../support/until.ts";
import type { Machine } from "../support/vm/machine.ts";
import { savedGuest } from "../support/vm/saved.ts";

/** How long the agent may take to be there in an emulated guest. */
const startSeconds = 60;
const mib = 1024 * 1024;

let guest: Awaited<ReturnType<typeof savedGuest>>;
let folder: string;
before(async () => {
  guest = await savedGuest();
  folder = await mkdtemp(path.join(tmpdir(), "vm-files-"));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const to = (machine: Machine): Promise<Client> =>
  connect({ socket: machine.agentSocket, timeoutSeconds: startSeconds });

/** Gives up `work`, by its signal, after a time from 0 to `mostMs` that is as good as any other. */
async function interrupted(
  mostMs: number,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort();
  }, Math.random() * mostMs);
  try {
    await work(controller.signal);
    return false;
  } catch (error) {
    if (controller.signal.aborted || error instanceof HostError) return true;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

describe("files of a guest", () => {
  it("come and go unchanged, whatever bytes are in them", async () => {
    await using machine = await guest.restore();
    await machine.startAgent();
    await using client = await to(machine);
    const bytes = randomBytes(5 * mib + 4321);
    const local = path.join(folder, "bytes");
    await writeFile(local, bytes);
    const up = await client.files.upload(local, "/tmp/bytes", { mode: 0o4750, checksum: true });
    assert.equal(up.sha256, sha256(bytes));
    assert.equal(
      await machine.expect("sha256sum </tmp/bytes; stat -c '%a %s' /tmp/bytes"),
      `${sha256(bytes)}  -\n4750 ${bytes.length}\n`,
    );
    await client.files.download("/tmp/bytes", `${local}.back`, { checksum: true });
    assert.ok(bytes.equals(await readFile(`${local}.back`)));
    assert.match(await client.files.readFile("/proc/version", { encoding: "utf8" }), /^Linux version /);
    assert.equal(await machine.expect("find /tmp -name '.limiquantix*'"), "");
  });

  it("are whole in the end when the host is killed again and again", async () => {
    await using machine = await guest.restore();
    await machine.startAgent();
    const bytes = randomBytes(16 * mib);
    const local = path.join(folder, "resumed");
    await writeFile(local, bytes);
    await machine.expect("echo old >/tmp/resumed");
    let cuts = 0;
    for (;;) {
      const client = await to(machine);
      // The connection goes, as that of a killed process does.
      const isCut = await interrupted(cuts < 30 ? 120 : 60_000, async (signal) => {
        const upload = client.files.upload(local, "/tmp/resumed", { resume: true, checksum: true });
        upload.catch(() => undefined);
        signal.addEventListener("abort", () => void client.close());
        await upload;
      });
      await client.close();
      if (!isCut) break;
      cuts++;
      assert.equal(await machine.expect("cat /tmp/resumed"), "old\n");
    }
    assert.ok(cuts >= 30, `${cuts} cuts`);
    assert.equal(await machine.expect("sha256sum </tmp/resumed"), `${sha256(bytes)}  -\n`);
    assert.equal(await machine.expect("find /tmp -name '.limiquantix*'"), "");
  });

  it("are whole in the end when the agent is killed again and again", async () => {
    await using machine = await guest.restore();
    const bytes = randomBytes(8 * mib);
    const local = path.join(folder, "restarted");
    await writeFile(local, bytes);
    await machine.expect("echo old >/tmp/restarted");
    let pid = await machine.startAgent();
    let kills = 0;
    for (;;) {
      const client = await to(machine);
      // QEMU keeps the connection: the host learns of the end when the next agent speaks.
      const isCut = await interrupted(kills < 5 ? 200 : 60_000, async (signal) => {
        const upload = client.files.upload(local, "/tmp/restarted", { resume: true });
        upload.catch(() => undefined);
        const restarted = once(signal, "abort").then(async () => {
          await machine.expect(`kill -9 ${pid}; while kill -0 ${pid} 2>/dev/null; do sleep 0.05; done`);
          assert.equal(await machine.expect("cat /tmp/restarted"), "old\n");
          pid = await machine.startAgent();
        });
        await upload.catch(async (error: unknown) => {
          await restarted;
          throw error;
        });
      });
      await client.close();
      if (!isCut) break;
      kills++;
    }
    assert.ok(kills >= 5, `${kills} kills`);
    assert.equal(await machine.expect("sha256sum </tmp/restarted"), `${sha256(bytes)}  -\n`);
    assert.equal(await machine.expect("find /tmp -name '.limiquantix*'"), "");
  });

  it("leave nothing behind on a disk that is full", async () => {
    await using machine = await guest.restore();
    await machine.startAgent();
    await using client = await to(machine);
    await machine.expect(
      "mkdir /tmp/small; mount -t tmpfs -o size=1m small /tmp/small; echo old >/tmp/small/file",
    );
    const local = path.join(folder, "large");
    await writeFile(local, randomBytes(4 * mib));
    await assert.rejects(client.files.upload(local, "/tmp/small/file"), (error: HostError) => {
      assert.equal(error.agentCode, "QXGA-4010");
      return true;
    });
    assert.equal(await machine.expect("ls -A /tmp/small; cat /tmp/small/file"), "file\nold\n");
  });

  it("are taken as a tree, with links and modes, and nothing outside it", async () => {
    await using machine = await guest.restore();
    await machine.startAgent();
    await using client = await to(machine);
    await machine.expect(
      "mkdir -p /tmp/tree/a/b; echo one >/tmp/tree/a/b/one; chmod 640 /tmp/tree/a/b/one; ln -s ../../../etc/passwd /tmp/tree/a/link; mkfifo /tmp/tree/fifo",
    );
    const local = path.join(folder, "tree");
    const down = await client.files.downloadTree("/tmp/tree", local);
    assert.equal(down.skipped.length, 1);
    assert.equal(await readFile(path.join(local, "a/b/one"), "utf8"), "one\n");
    await client.files.uploadTree(local, "/tmp/copy");
    assert.equal(
      await machine.expect("cd /tmp/copy; find . | sort; stat -c %a a/b/one; readlink a/link"),
      ".\n./a\n./a/b\n./a/b/one\n./a/link\n640\n../../../etc/passwd\n",
    );
    await client.files.remove("/tmp/copy", { recursive: true });
    assert.equal(await machine.expect("ls /tmp/copy 2>/dev/null; head -c 4 /etc/passwd"), "root");
  });

  it("are watched, edited and completed", async () => {
    await using machine = await guest.restore();
    await machine.startAgent();
    const socket = ["--socket", machine.agentSocket];
    await machine.expect(
      "mkdir /tmp/watched; echo port 80 >/tmp/watched/a.conf; chmod 640 /tmp/watched/a.conf",
    );
    const edited = await ctl(["edit", ...socket, "--timeout", "60s", "/tmp/watched/a.conf"], {
      env: { EDITOR: "sed -i s/80/8080/" },
    });
    assert.equal(edited.code, 0, edited.stderr);
    assert.equal(
      await machine.expect("stat -c %a /tmp/watched/a.conf; cat /tmp/watched/*"),
      "640\nport 8080\n",
    );
    const completed = await ctl(["__complete", "--", ...socket, "cat", "/tmp/watched/"]);
    assert.equal(completed.stdout, "none\n/tmp/watched/a.conf\n");

    await using client = await to(machine);
    const stop = new AbortController();
    const changes = client.files.watch("/tmp/watched", { signal: stop.signal });
    const first = changes.next();
    // The watch begins when next() is asked for; what is changed until something is seen is changed again.
    const seen = await until("a change", async () => {
      await machine.expect("echo >/tmp/watched/new; rm /tmp/watched/new");
      return await Promise.race([first, Promise.resolve(undefined)]);
    });
    assert.ok(seen.value?.changes.some(({ name }) => name === "new"));
    stop.abort();
    await changes.return(undefined);
  });
});
