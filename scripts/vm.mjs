// npm run vm: a real guest under QEMU with the agent on its virtio-serial port, and the CLI attached to it.
// npm run vm -- systemd: the one with systemd, and a shell in it.
import path from "node:path";
import { Problem, main, runInTerminal } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root } from "./stamps.mjs";
import { missingForVm } from "./requirements.mjs";

await main(async () => {
  const guests = process.argv.slice(2);
  if (guests.length > 1 || guests.some((name) => !["small", "systemd"].includes(name)))
    throw new Problem(`no such guest: ${guests.join(" ")}; there are small (the default) and systemd`);
  await setup();
  const missing = missingForVm();
  if (missing.length > 0) throw new Problem(`No guest can be booted here:\n  ${missing.join("\n  ")}`);
  // Ctrl-C is for the program in the terminal, which stops the guest.
  process.on("SIGINT", () => undefined);
  return runInTerminal(process.execPath, [
    ...["--import", "tsx", path.join(root, "test/support/vm/run.ts")],
    ...guests,
  ]);
});
