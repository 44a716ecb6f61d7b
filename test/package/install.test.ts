import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Archive, type Installed, runAsRoot } from "../support/install/archive.ts";
import { type TreeOptions, changes, fakeSystem, treeOf } from "../support/install/trees.ts";

let archive: Archive;
before(() => {
  archive = new Archive("linux-x64");
});
after(() => {
  archive[Symbol.dispose]();
});

let count = 0;

/** A system that nothing of can run, and install.sh for it. */
class System {
  readonly root = archive.folderFor(`root-${++count}`);
  constructor(options: TreeOptions = {}) {
    fakeSystem(this.root, options);
  }
  at(name: string): string {
    return path.join(this.root, name);
  }
  run(...args: string[]): Installed {
    return archive.install(["--root", this.root, ...args]);
  }
  done(...args: string[]): string {
    const { status, output } = this.run(...args);
    assert.equal(status, 0, output);
    return output;
  }
  /** Fails with what matches, and changes nothing. */
  refuses(why: RegExp, ...args: string[]): void {
    const was = treeOf(this.root);
    const { status, output } = this.run(...args);
    assert.match(output, why);
    assert.equal(status, 1);
    assert.deepEqual(changes(was, treeOf(this.root)), []);
  }
}

const executable = "/usr/lib/limiquantix-agent/limiquantix-agent";
const config = "/etc/limiquantix/agent.yaml";
const wants = "/etc/systemd/system";

describe("install.sh", () => {
  it("has nothing that shellcheck warns of", () => {
    const { status, output } = runAsRoot(["shellcheck", "-s", "sh", path.join(archive.folder, "install.sh")]);
    assert.equal(status, 0, output);
  });

  for (const [name, shell] of Object.entries({
    dash: ["dash"],
    busybox: ["env", "-i", "PATH=/applets", "sh"],
  })) {
    it(`installs, upgrades and takes away by ${name}`, () => {
      const system = new System();
      const was = treeOf(system.root);
      const env = { ...process.env };
      if (name === "busybox") {
        const applets = archive.folderFor("applets");
        const busybox = runAsRoot(["sh", "-c", "command -v busybox"]).output.trim();
        assert.equal(runAsRoot([busybox, "--install", "-s", applets]).status, 0);
        shell[2] = `PATH=${applets}`;
        shell[3] = path.join(applets, "sh");
      }
      const run = (...args: string[]): string => {
        const { status, output } = archive.install(["--root", system.root, ...args], { shell, env });
        assert.equal(status, 0, output);
        return output;
      };
      run();
      const installed = treeOf(system.root);
      assert.match(installed.get(executable) ?? "", /^755 \d{8,} bytes$/);
      assert.equal(
        installed.get("/usr/bin/limiquantix-agent"),
        "→ ../lib/limiquantix-agent/limiquantix-agent",
      );
      assert.equal(installed.get("/var/lib/limiquantix"), "folder 700");
      assert.ok(
        [...installed.keys()].some((file) => /^\/etc\/systemd\/system\/.*\.wants\/limiquantix/.test(file)),
      );
      assert.deepEqual(changes(installed, treeOf(system.root)), []);
      run();
      assert.deepEqual(changes(installed, treeOf(system.root)), []);
      assert.match(run("--uninstall"), /kept: .*\/etc\/limiquantix\n$/);
      const left = changes(was, treeOf(system.root));
      assert.deepEqual(left, ["/etc/limiquantix", config]);
    });
  }

  it("tells the init by what is there, and has it start the agent", () => {
    const enabled = (system: System): string[] =>
      [...treeOf(system.root).keys()].filter((name) =>
        /^\/etc\/(rc|runlevels|systemd|init\.d).*\/\w*limiquantix/.test(name),
      );
    const openrc = new System({ init: "openrc-init", files: { "/sbin/openrc": "" } });
    assert.match(openrc.done(), /init: openrc/);
    assert.deepEqual(enabled(openrc), [
      "/etc/init.d/limiquantix-agent",
      "/etc/runlevels/default/limiquantix-agent",
    ]);
    const alpineLike = new System({ init: "../usr/bin/busybox", files: { "/sbin/openrc": "" } });
    assert.match(alpineLike.done(), /init: openrc/);
    const sysv = new System({ init: "../usr/sbin/init" });
    assert.match(sysv.done(), /init: sysv/);
    assert.equal(enabled(sysv).length, 8);
    sysv.done("--init", "openrc");
    assert.deepEqual(enabled(sysv), enabled(openrc));
    const inittab = "::sysinit:/etc/init.d/rcS\n# the last line has no end";
    const busybox = new System({ init: "../usr/bin/busybox", files: { "/etc/inittab": inittab } });
    for (let i = 0; i < 2; i++) {
      assert.match(busybox.done(), /init: busybox/);
      const edited = readFileSync(busybox.at("/etc/inittab"), "utf8");
      assert.equal(edited, `${inittab}\n::respawn:/usr/bin/limiquantix-agent\n`);
    }
    busybox.done("--uninstall");
    assert.equal(readFileSync(busybox.at("/etc/inittab"), "utf8"), `${inittab}\n`);
    const none = new System({ init: "" });
    none.refuses(/no init that is known/);
    none.done("--init", "none");
    assert.deepEqual(enabled(none), []);
  });

  it("leaves alone what an administrator has changed", () => {
    const system = new System();
    system.done();
    const enabling =
      [...treeOf(system.root).keys()].find((name) => /^\/etc\/systemd.*limiquantix/.test(name)) ?? "";
    assert.ok(enabling.startsWith(wants));
    rmSync(system.at(enabling));
    appendFileSync(system.at(config), "log_level: debug\n");
    const changed = readFileSync(system.at(config), "utf8");
    system.done();
    assert.ok(!existsSync(system.at(enabling)));
    assert.ok(!existsSync(system.at(`${config}.new`))); // what is shipped is still the same
    // As if an older version had shipped another.
    writeFileSync(system.at("/usr/lib/limiquantix-agent/agent.yaml"), "# older\n");
    assert.match(
      system.done(),
      /kept: .*agent\.yaml, which was changed; what is shipped now: agent\.yaml\.new/,
    );
    assert.equal(readFileSync(system.at(config), "utf8"), changed);
    assert.notEqual(readFileSync(system.at(`${config}.new`), "utf8"), changed);
    // What nobody has changed is the new one's.
    writeFileSync(system.at("/usr/lib/limiquantix-agent/agent.yaml"), "# older\n");
    writeFileSync(system.at(config), "# older\n");
    system.done();
    assert.doesNotMatch(readFileSync(system.at(config), "utf8"), /older/);
  });

  it("refuses what cannot work, and changes nothing", () => {
    new System({ machine: "aarch64" }).refuses(/is for x86_64, and .* is for aarch64/);
    new System({ loader: "/lib/ld-musl-x86_64.so.1" }).refuses(/has musl.*apk add nodejs npm/);
    new System({ loader: "" }).refuses(/has no \/lib64\/ld-linux-x86-64\.so\.2/);
    new System({ glibc: "GLIBC_2.27 GLIBC_2x28" }).refuses(/libc\.so\.6 is older than glibc 2\.28/);
    new System({ libstdcxx: "" }).refuses(/libstdc\+\+\.so\.6 is missing.*install libstdc\+\+6/);
    new System({ libstdcxx: "GLIBCXX_3.4.20" }).refuses(/libstdc\+\+\.so\.6 is too old/);
    new System({ files: { [executable]: "of a package" } }).refuses(
      /is of a package; upgrade or remove that/,
    );
    new System({ init: "../usr/bin/busybox" }).refuses(/no \/etc\/inittab/);
    const system = new System();
    system.refuses(/nothing that install\.sh has installed/, "--uninstall");
    system.refuses(/--init runit: it has to be/, "--init", "runit");
    system.refuses(/--fast is not an option/, "--fast");
    const nowhere = archive.install(["--root", system.at("/nowhere")]);
    assert.match(nowhere.output, /no such folder/);
  });

  it("refuses a disk that is full, and who is not root", () => {
    const small = archive.folderFor("small");
    const script = `mount -t tmpfs -o size=64m tmpfs "$1" && cp -a "$2/." "$1" && ! sh "$3" --root "$1" && ls -A "$1/etc" "$1/var"`;
    const system = new System({ files: { "/etc/name": "", "/var/name": "" } });
    const tool = path.join(archive.folder, "install.sh");
    const full = runAsRoot(["unshare", "--mount", "sh", "-euc", script, "sh", small, system.root, tool]);
    assert.match(full.output, /KiB free, and \d+ KiB are needed/);
    assert.doesNotMatch(full.output, /limiquantix$/m);
    assert.equal(full.status, 0, full.output);
    const readOnly = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && sh "$2" --root "$1"`;
    const refused = runAsRoot(["unshare", "--mount", "sh", "-euc", readOnly, "sh", system.root, tool]);
    assert.match(refused.output, /cannot be written to; is it read-only\?/);
    const user = runAsRoot(["sh", "-c", `tool=$1; shift; id() { echo 1000; }; . "$tool"`, "sh", tool]);
    assert.match(user.output, /only root can install/);
  });

  it("leaves the old one as it was when it fails on its way", () => {
    const system = new System();
    system.done();
    rmSync(system.at("/usr/bin/limiquantix-agent"));
    mkdirSync(system.at("/usr/bin/limiquantix-agent"));
    rmSync(system.at("/etc/limiquantix/pre-freeze.d"), { recursive: true });
    writeFileSync(system.at(executable), "the old one");
    system.refuses(/limiquantix-agent is a folder, and a file is to be there/);
  });

  it("follows no link out of the root", () => {
    const outside = archive.folderFor("outside");
    mkdirSync(path.join(outside, "limiquantix-agent"));
    for (const name of ["victim", "limiquantix-agent/installed", "agent.yaml"])
      writeFileSync(path.join(outside, name), "theirs");
    const was = treeOf(outside);
    const system = new System();
    const up = "../".repeat(30);
    symlinkSync(outside, system.at("/etc/limiquantix"));
    symlinkSync(`${up}${outside}`, system.at("/var"));
    mkdirSync(system.at("/usr/lib/limiquantix-agent"));
    symlinkSync(
      path.join(outside, "victim"),
      system.at("/usr/lib/limiquantix-agent/.limiquantix.node.limiquantix-new"),
    );
    symlinkSync(path.join(outside, "victim"), system.at("/usr/lib/limiquantix-agent/limiquantix.node"));
    symlinkSync(`${up}${outside}/victim`, system.at("/usr/lib/limiquantix-agent/agent.yaml"));
    system.done();
    assert.ok(existsSync(system.at(`${outside}/agent.yaml`))); // where the guest itself finds it
    assert.ok(existsSync(system.at(`${outside}/lib/limiquantix`)));
    const forged = `file ${up}${outside}/victim\nfile /etc/limiquantix/victim\nfolder ${up}${outside}\ninit systemd\n`;
    appendFileSync(system.at("/usr/lib/limiquantix-agent/installed"), forged);
    system.done("--uninstall", "--init", "systemd");
    assert.deepEqual(changes(was, treeOf(outside)), []);
    const endless = new System();
    symlinkSync("limiquantix", endless.at("/etc/limiquantix"));
    endless.refuses(/too many symbolic links/);
  });
});
