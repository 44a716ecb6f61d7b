// A scenario for isolated.ts: what counts as a change of links and addresses.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Sampler } from "../../src/native/sampler.ts";
import { until } from "./until.ts";

const ip = (command: string): void => {
  execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "inherit"] });
};

ip("link set lo up");
ip("link add left type veth peer name right");
ip("link set left up");
ip("link set right up");

const sampler = new Sampler();
let changes = 0;
const onChange = (): void => {
  changes++;
};
sampler.watch(onChange);
// Links that have just come up get their IPv6 addresses a little later.
await until("all to be quiet", async () => {
  const before = changes;
  const { interfaces = [] } = await sampler.sample();
  const settled = interfaces.filter(({ ipv6Addresses }) => ipv6Addresses.length === 1).length === 3;
  return settled && changes === before;
});

/** Calls back caused by a command. Its notices are in the socket when it ends, to be read in the loop's next turn. */
async function countOf(command: string): Promise<number> {
  const before = changes;
  ip(command);
  await sampler.sample();
  await new Promise(setImmediate);
  return changes - before;
}

assert.equal(await countOf("address add 192.0.2.9/24 dev left"), 1);
// Lifetimes renewed, as by each router advertisement or DHCP lease, change nothing.
assert.equal(await countOf("address replace 192.0.2.9/24 dev left valid_lft 1000 preferred_lft 1000"), 0);
assert.equal(await countOf("address replace 192.0.2.9/24 dev left valid_lft 2000 preferred_lft 2000"), 0);
assert.equal(await countOf("-6 address add 2001:db8::9/64 dev left nodad"), 1);
assert.equal(await countOf("-6 address replace 2001:db8::9/64 dev left valid_lft 900 preferred_lft 900"), 0);
assert.equal(await countOf("address del 192.0.2.9/24 dev left"), 1);
assert.equal(await countOf("link set left mtu 1400"), 1);
// The kernel tells of these, too, but no report shows them.
assert.equal(await countOf("link set left alias uplink"), 0);
assert.equal(await countOf("link set left txqueuelen 500"), 0);
assert.ok((await countOf("link set left down")) >= 1);
assert.ok((await countOf("link set left up")) >= 1);
assert.ok((await countOf("link add name bridge0 type bridge")) >= 1);

await until("the link to be up again", async () =>
  (await sampler.sample()).interfaces?.some(({ name, state }) => name === "left" && state === "up"),
);
const told = (await sampler.sample()).interfaces?.map(({ name, kind, mtu, state }) => ({
  name,
  kind,
  mtu,
  state,
}));
assert.deepEqual(
  told?.sort((a, b) => a.name.localeCompare(b.name)),
  [
    { name: "bridge0", kind: "bridge", mtu: 1500, state: "down" },
    { name: "left", kind: "veth", mtu: 1400, state: "up" },
    { name: "lo", kind: "", mtu: 65536, state: "up" },
    { name: "right", kind: "veth", mtu: 1500, state: "up" },
  ],
);

// More notices than the socket holds, while the event loop is held up: that counts as a change, and it goes on.
const lines: string[] = [];
for (let i = 0; i < 3000; i++)
  lines.push("address add 203.0.113.1/32 dev lo", "address del 203.0.113.1/32 dev lo");
const beforeFlood = changes;
execFileSync("ip", ["-batch", "-"], { input: lines.join("\n") });
await until("the flood to be noticed", () => changes > beforeFlood);
await sampler.sample();
assert.equal(await countOf("link set left mtu 1300"), 1);
assert.equal(await countOf("link set left alias quiet"), 0);

// Not watched, nothing is called; watched again, it is.
sampler.unwatch();
sampler.unwatch();
const unwatched = changes;
ip("link set left mtu 1301");
await sampler.sample();
assert.equal(changes, unwatched);
sampler.watch(onChange);
await sampler.sample();
ip("link set left mtu 1302");
await until("a change to be seen again", () => changes > unwatched);

// Closed inside its own callback.
const closing = new Sampler();
let called = 0;
closing.watch(() => {
  called++;
  closing.close();
});
ip("link set left mtu 1303");
await until("the callback that closes", () => called === 1);
sampler.close();
console.log("done");
