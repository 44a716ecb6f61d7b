// Run by node.exe: workers that end while their calls are under way.
import { Worker } from "node:worker_threads";

const here = __filename;

async function main(): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const worker = new Worker(here, { argv: ["worker"] });
    await new Promise((resolve) => worker.once("message", resolve));
    await worker.terminate();
  }
  console.log("done");
}

async function work(): Promise<void> {
  const { parentPort } = await import("node:worker_threads");
  const { addon } = await import("../../../src/native/addon.ts");
  for (let calls = 0; calls < 16; calls++) addon.networkAdapters().catch(() => undefined);
  parentPort?.postMessage("under way");
}

void (process.argv.includes("worker") ? work() : main());
