// A thousand documents that nobody wrote, and what could be worse: all of a change or nothing, and no more lines than there are values.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CodedError } from "../../src/wire/errors.ts";
import { FakeNetwork } from "../support/fake-network.ts";

const noSignal = new AbortController().signal;

/** Values as they should be, and as they should not. */
const hostile = fc.constantFrom(
  ...[
    "../../etc/passwd",
    "a\n[Match]",
    "x; reboot",
    "$(reboot)",
    "a\u0000b",
    "",
    "~",
    "-",
    "\u2028",
    "=",
    "a=b",
    "[Route]",
  ],
);
const scalar = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "true",
      "no",
      "1400",
      "10.0.0.5/24",
      "10.0.0.1",
      "2001:db8::5/64",
      "eth0",
      "lan",
    ),
  },
  { weight: 1, arbitrary: hostile },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
);
const list = fc.array(scalar, { maxLength: 3 });
const route = fc.record(
  {
    to: fc.oneof(fc.constantFrom("default", "10.9.0.0/16"), scalar),
    via: fc.oneof(fc.constant("10.0.0.1"), scalar),
    metric: scalar,
  },
  { requiredKeys: [] },
);
const settings = fc.dictionary(
  fc.constantFrom("dhcp4", "dhcp6", "mtu", "macaddress", "optional", "gateway4", "wakeonlan", "__proto__"),
  scalar,
  { maxKeys: 2 },
);
const nested = fc.record(
  {
    addresses: fc.oneof(fc.subarray(["10.0.0.5/24", "2001:db8::5/64"]), list),
    routes: fc.array(route, { maxLength: 2 }),
    nameservers: fc.record({ addresses: list, search: list }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("eth0", "eth1") },
  { weight: 1, arbitrary: hostile },
);
const ethernet = fc.tuple(settings, nested).map(([a, b]) => ({ ...a, ...b }));
const network = fc.record(
  {
    version: fc.oneof({ weight: 20, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: scalar }),
    ethernets: fc.dictionary(name, ethernet, { maxKeys: 3 }),
    vlans: fc.dictionary(
      fc.constantFrom("v1", "v2"),
      fc.record({ id: fc.constantFrom("1", "x"), link: name }),
      { maxKeys: 1 },
    ),
  },
  { requiredKeys: ["version"] },
);
/** JSON is YAML. */
const document = fc.oneof(
  { weight: 9, arbitrary: network.map((value) => JSON.stringify({ network: value })) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.constantFrom(
          "network:",
          "\n",
          "  ",
          "- ",
          "a: ",
          "&a ",
          "*a",
          "{",
          "[",
          "'",
          '"',
          "|",
          "?",
          "!!int ",
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join("")),
  },
);

const line = /^(#.*|\[[A-Za-z0-9]+\]|[A-Za-z0-9_-]+=[A-Za-z0-9:./;, ~_@-]+|[A-Za-z0-9_]+=onlink=true|)$/;

for (const backend of ["networkd", "networkmanager", "netplan"] as const) {
  const [folder] = {
    networkd: ["etc/systemd/network"],
    networkmanager: ["etc/NetworkManager/system-connections"],
    netplan: ["etc/netplan"],
  }[backend];

  describe(`configure_network with ${backend}`, () => {
    it("does all or nothing of each of 400 documents", async () => {
      using guest = new FakeNetwork(backend);
      const current = guest.network();
      let [accepted, failed] = [0, 0];
      await fc.assert(
        fc.asyncProperty(document, fc.nat(4), async (text, fate) => {
          const before = guest.files(folder ?? "");
          const isForced = fate === 0;
          guest.answer = (program, args) =>
            isForced && (args.includes("apply") || args.includes("reload")) && failed++ % 2 === 0
              ? { exitCode: 1, stderr: "no" }
              : program === "nmcli" && args.includes("general")
                ? undefined
                : {};
          try {
            await current.configure({ document: text, apply: true, confirmSeconds: 0 }, noSignal);
          } catch (error) {
            assert.ok(error instanceof CodedError, String(error));
            assert.equal(error.code, "network", error.wireText);
            assert.deepEqual(guest.files(folder ?? ""), before, text);
            return;
          }
          accepted++;
          const after = guest.files(folder ?? "");
          if (backend === "netplan") {
            assert.deepEqual(Object.values(after), [text.endsWith("\n") ? text : `${text}\n`]);
            return;
          }
          for (const [file, content] of Object.entries(after)) {
            assert.match(file, /^(10-)?limiquantix-[a-z0-9]+\.(network|netdev|nmconnection)$/);
            for (const each of content.split("\n")) assert.match(each, line, text);
          }
        }),
        { numRuns: 400 },
      );
      assert.ok(accepted > 10 && failed > 0, `${accepted} accepted, ${failed} applied in vain`);
    });
  });
}
