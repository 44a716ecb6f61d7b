// A scenario for isolated.ts: changes of the network as the sampler for Windows tells them. Wine sends no notices, so that it is
// looked for them; what counts as a change is the same.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { until } from "../until.ts";
import { Wine, windowsPath } from "./wine.ts";

const ip = (command: string): void => {
  execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "inherit"] });
};

ip("link set lo up");
ip("link add left type veth peer name right");
ip("link set left up");
ip("link set right up");

await using wine = await Wine.open();
const program = path.join(wine.folder, "watch.cjs");
writeFileSync(
  program,
  `const addon = require(process.argv[2]);
   const sampler = new addon.Sampler({});
   const tell = async (why) => {
     const { interfaces } = await sampler.sample(5000);
     console.log(JSON.stringify({ why, left: interfaces.find(({ name }) => name === "left") }));
   };
   sampler.watch(() => tell("change"));
   tell("start");
   setInterval(() => 0, 1e6);`,
);
const watching = wine.start(wine.node, [
  windowsPath(program),
  windowsPath("prebuilds/win32-x64/limiquantix.node"),
]);
const said = (): { why: string; left: { ipv4Addresses: string[]; mtu: number } }[] =>
  watching.stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as ReturnType<typeof said>[number]);

await until("the first sample", () => said().length > 0);
ip("address add 192.0.2.9/24 dev left");
await until("the address", () => said().at(-1)?.left.ipv4Addresses.includes("192.0.2.9/24"));
ip("link set left mtu 1400");
await until("the MTU", () => said().at(-1)?.left.mtu === 1400);
// What no report shows is no change; the address's end, which is one, comes behind it.
const before = said().length;
ip("address replace 192.0.2.9/24 dev left valid_lft 1000 preferred_lft 1000");
ip("address del 192.0.2.9/24 dev left");
await until("the address to be gone", () => said().at(-1)?.left.ipv4Addresses.length === 0);
assert.ok(said().length - before <= 2, watching.stdout);
assert.ok(
  said()
    .slice(1)
    .every(({ why }) => why === "change"),
);
watching.kill();

process.stdout.write("done\n");
