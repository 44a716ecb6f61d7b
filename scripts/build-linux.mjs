// npm run build:linux: the addon for Linux as it is shipped, into prebuilds/linux-x64 and linux-arm64. Each binary loads
// with glibc from 2.28 on, which is what Node.js needs, and with musl.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { checkLinuxBinary } from "./binary-check.mjs";
import { commonFlags, compileAll, sourcesFor } from "./compile.mjs";
import { nodeHeaders } from "./node-headers.mjs";
import { Problem, main, run } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root, whenChanged } from "./stamps.mjs";

const targets = {
  "linux-x64": { prefix: "x86_64-linux-gnu-", package: "g++-x86-64-linux-gnu" },
  "linux-arm64": { prefix: "aarch64-linux-gnu-", package: "g++-aarch64-linux-gnu" },
};

const flags = [
  ...commonFlags,
  ...["-fPIC", "-fno-threadsafe-statics", "-DLIMIQUANTIX_NO_LIBSTDCXX"],
  ...["-include", "native/base/no_libstdcxx.h"],
];

async function build(target, { prefix, package: name }) {
  const compiler = `${prefix}g++`;
  if (spawnSync(compiler, ["--version"]).error) {
    throw new Problem(
      `To build for ${target}, this machine needs ${compiler}. On Debian or Ubuntu:\n  sudo apt-get install ${name}`,
    );
  }
  process.stderr.write(`· compiling the native addon for ${target}\n`);
  const headers = await nodeHeaders();
  if (!headers) throw new Problem("the C headers of Node.js were not found");
  const includes = ["native", "node_modules/node-addon-api", path.join(headers, "include/node")];
  const scratch = path.join(root, ".cache", target);
  mkdirSync(scratch, { recursive: true });
  const how = { compiler, flags: [...flags, ...includes.map((folder) => `-I${folder}`)], scratch };
  const objects = await compileAll(how, sourcesFor("linux"));
  const output = path.join("prebuilds", target, "limiquantix.node");
  mkdirSync(path.join(root, path.dirname(output)), { recursive: true });
  rmSync(path.join(root, output), { force: true });
  await run(`${prefix}gcc`, [
    ...[
      "-shared",
      "-s",
      "-nodefaultlibs",
      "-Wl,--gc-sections",
      "-Wl,-z,nodelete",
      "-Wl,-z,relro",
      "-Wl,-z,now",
      "-Wl,--build-id=none",
    ],
    ...["-Wl,--exclude-libs,ALL", "-o", output, ...objects, "-lgcc", "-lc"],
  ]);
  await checkLinuxBinary(output, { readelf: `${prefix}readelf` });
}

/** Builds what is out of date. */
export async function buildLinux(names = Object.keys(targets)) {
  for (const target of names) {
    const inputs = [
      "native",
      "scripts/build-linux.mjs",
      "scripts/compile.mjs",
      "scripts/binary-check.mjs",
      "package-lock.json",
    ];
    const outputs = [`prebuilds/${target}/limiquantix.node`];
    await whenChanged(`addon for ${target}`, { inputs, outputs }, () => build(target, targets[target]));
  }
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    await setup();
    await buildLinux();
  });
}
