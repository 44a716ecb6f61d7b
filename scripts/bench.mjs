// npm run bench: builds, then runs bench/main.ts.
import { buildFakeDriver, buildWin32 } from "./build-win32.mjs";
import { main, runInTerminal } from "./run.mjs";
import { setup } from "./setup.mjs";
import { missingForWindows } from "./requirements.mjs";

await main(async () => {
  await setup();
  if (missingForWindows().length === 0) {
    await buildWin32();
    await buildFakeDriver();
  }
  return runInTerminal(process.execPath, ["--import", "tsx", "bench/main.ts", ...process.argv.slice(2)]);
});
