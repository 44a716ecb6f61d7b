import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/host/index.ts";
import { cloudImage } from "../support/vm/cloud-init/image.ts";
import { CloudMachine } from "../support/vm/cloud-init/machine.ts";
import { shell } from "../support/vm/shell.ts";

let image: Awaited<ReturnType<typeof cloudImage>>;
let scratch: string;
before(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), "seeds-"));
  image = await cloudImage();
});
after(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** The package, not compressed: that of an emulated guest takes its time. */
function packageForTests(): string {
  const script = `import("./scripts/package/deb.mjs")
    .then(({ deb }) => deb("linux-x64", ${JSON.stringify({ output: scratch, compression: ["-Znone"] })}))
    .then((file) => console.log(file))`;
  return execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim();
}

/** The seed disk of a guest that is to be called `name`, as docs/image-builders.md makes it. */
async function seedDisk(name: string, deb: string): Promise<string> {
  const folder = path.join(scratch, name);
  mkdirSync(folder);
  copyFileSync("packaging/cloud-init/from-seed-disk.yaml", path.join(folder, "user-data"));
  writeFileSync(path.join(folder, "meta-data"), `instance-id: ${name}-1\nlocal-hostname: ${name}\n`);
  copyFileSync(deb, path.join(folder, path.basename(deb)));
  const disk = path.join(scratch, `${name}.iso`);
  await shell(`xorriso -as mkisofs -quiet -V cidata -J -R -o "$DISK" "$FOLDER" 2>&1`, {
    DISK: disk,
    FOLDER: folder,
  });
  return disk;
}

interface Told {
  hostname: string;
  machineId: string;
  bootId: string;
  installed: string;
}

/** Boots the image for the first time, and asks its agent. */
async function firstBoot(name: string, deb: string): Promise<Told> {
  await using machine = await CloudMachine.boot(image, await seedDisk(name, deb));
  await machine.seeded();
  await using client = await connect({ socket: machine.agentSocket, timeoutSeconds: 60 });
  const output = async (command: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await client.execute({ command, timeoutSeconds: 60 });
    assert.equal(exitCode, 0, `${command}: ${stderr}`);
    return stdout;
  };
  await output("limiquantix-agent --check-config");
  return {
    hostname: (await client.ready()).hostname,
    machineId: await output("cat /etc/machine-id"),
    bootId: await output("cat /proc/sys/kernel/random/boot_id"),
    // Of the package and of the agent that ran: with the time and the process ids of this boot left out.
    installed: await output(
      "find /etc/limiquantix /usr/lib/limiquantix-agent /usr/bin/limiquantix-agent -exec stat -c '%n %U %a %F' {} + | sort; find /etc/limiquantix /usr/lib/limiquantix-agent -type f -exec sha256sum {} + | sort; ls -A /var/lib/limiquantix",
    ),
  };
}

describe("a cloud image with the package on its seed disk", () => {
  it("gives each guest that boots it an agent, alike but for the guest's own name and ids", async () => {
    const deb = packageForTests();
    const [one, other] = await Promise.all([firstBoot("web1", deb), firstBoot("web2", deb)]);
    assert.deepEqual([one.hostname, other.hostname], ["web1", "web2"]);
    for (const { machineId } of [one, other]) assert.match(machineId, /^[0-9a-f]{32}\n$/);
    assert.notEqual(one.machineId, other.machineId);
    assert.notEqual(one.bootId, other.bootId);
    assert.equal(one.installed, other.installed);
    for (const { installed } of [one, other])
      assert.match(installed, /^\/etc\/limiquantix root 755 directory$/m);
  });
});
