// Before npm packs: everything that the package carries.
import { buildLinux } from "./build-linux.mjs";
import { buildWin32 } from "./build-win32.mjs";
import { main, run } from "./run.mjs";
import { setup } from "./setup.mjs";

/** Builds what is out of date. */
export async function prepack() {
  await setup();
  await run(process.execPath, ["scripts/build.mjs"]);
  await buildLinux();
  await buildWin32();
}

if (process.argv[1] === import.meta.filename) await main(prepack);
