// Configures the network of a FakeNetwork's folder, again and again, until it is killed.
import { type FakeBackend, FakeNetwork } from "./fake-network.ts";

const [root = "", backend = "networkd"] = process.argv.slice(2);
const guest = new FakeNetwork(backend as FakeBackend, root);
const network = guest.network();
process.stdout.write("begun\n");
for (let i = 1; ; i = (i % 250) + 1) {
  const links = Array.from(
    { length: 5 },
    (_, n) => `v${n}: {id: ${n + 1}, link: eth0, addresses: [10.${n}.0.${i}/24]}`,
  );
  const document = `network: {version: 2, ethernets: {eth0: {}}, vlans: {${links.join(", ")}}}`;
  await network.configure({ document, apply: true, confirmSeconds: 0 }, new AbortController().signal);
}
