import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/** The beginning of an ELF file for 64-bit machines. */
function elf(machine: "x86_64" | "aarch64"): Buffer {
  const header = Buffer.alloc(64);
  header.write("\u007fELF\u0002\u0001\u0001", "latin1");
  header.writeUInt16LE({ x86_64: 62, aarch64: 183 }[machine], 18);
  return header;
}

/** What is in a tree that install.sh looks at; "" leaves a file out. */
export interface TreeOptions {
  machine?: "x86_64" | "aarch64";
  loader?: string;
  glibc?: string;
  libstdcxx?: string;
  /** What /sbin/init links to. */
  init?: string;
  /** More files: path → text. */
  files?: Record<string, string>;
}

/** Puts as much of a Linux system under the empty `root` as install.sh looks at; none of it can run. */
export function fakeSystem(
  root: string,
  {
    machine = "x86_64",
    loader = "/lib64/ld-linux-x86-64.so.2",
    glibc = "GLIBC_2.27 GLIBC_2.28",
    libstdcxx = "GLIBCXX_3.4.21",
    init = "../usr/lib/systemd/systemd",
    files = {},
  }: TreeOptions = {},
): void {
  const put = (name: string, contents: string | Buffer): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), contents);
  };
  mkdirSync(path.join(root, "usr/bin"), { recursive: true });
  symlinkSync("usr/bin", path.join(root, "bin")); // as merged systems have it
  put("/usr/bin/sh", elf(machine));
  put("/lib/libgcc_s.so.1", "GCC_3.0");
  if (loader !== "") put(loader, "a loader");
  if (glibc !== "") put("/lib/x86_64-linux-gnu/libc.so.6", glibc);
  if (libstdcxx !== "") put("/usr/lib64/libstdc++.so.6", libstdcxx);
  for (const name of ["etc", "sbin"]) mkdirSync(path.join(root, name));
  if (init !== "") {
    put(path.join("/sbin", init), "an init");
    symlinkSync(init, path.join(root, "sbin/init"));
  }
  for (const [name, text] of Object.entries(files)) put(name, text);
}

/** Everything below `folder`: path → type and mode, and a file's contents or a link's target. */
export function treeOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (name: string): void => {
    for (const child of readdirSync(path.join(folder, name)).sort()) {
      const place = path.join(name, child);
      const full = path.join(folder, place);
      const status = lstatSync(full);
      const mode = (status.mode & 0o7777).toString(8);
      if (status.isSymbolicLink()) found.set(place, `→ ${readlinkSync(full)}`);
      else if (status.isDirectory()) {
        found.set(place, `folder ${mode}`);
        walk(place);
      } else if (status.isFile() && status.size < 1_000_000)
        found.set(place, `${mode} ${readFileSync(full, "latin1")}`);
      else found.set(place, `${mode} ${status.size} bytes`);
    }
  };
  walk("/");
  return found;
}

/** What `after` has more than, or other than, `before`, and "- path" for what is gone. */
export function changes(before: Map<string, string>, after: Map<string, string>): string[] {
  const more = [...after].filter(([name, what]) => before.get(name) !== what).map(([name]) => name);
  const gone = [...before.keys()].filter((name) => !after.has(name)).map((name) => `- ${name}`);
  return [...more, ...gone];
}

/** A system of busybox, and of this machine's libraries what a program needs of them. */
export function busyboxSystem(root: string, program: string): void {
  const busybox = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  const needed = execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+\.so\S*)/g);
  const copies = [...needed].map(([, file = ""]) => [file, file]);
  for (const [from = "", to = ""] of [[busybox, "/bin/busybox"], ...copies]) {
    mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
    execFileSync("cp", ["-L", from, path.join(root, to)]);
  }
  for (const name of ["etc", "proc", "dev", "run", "tmp", "sbin"]) {
    if (!existsSync(path.join(root, name))) mkdirSync(path.join(root, name));
  }
  symlinkSync("../bin/busybox", path.join(root, "sbin/init"));
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n");
  for (const applet of applets) {
    if (applet !== "" && applet !== "busybox") symlinkSync("busybox", path.join(root, "bin", applet));
  }
  writeFileSync(path.join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
  writeFileSync(path.join(root, "etc/group"), "root:x:0:\n");
}
