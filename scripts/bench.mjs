// npm run bench: builds, then runs bench/main.ts.
import { main, runInTerminal } from "./run.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup();
  return runInTerminal(process.execPath, ["--import", "tsx", "bench/main.ts", ...process.argv.slice(2)]);
});
