// An agent that is killed at any moment leaves a configuration that the next one makes whole.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "node:test";
import { FakeNetwork } from "../support/fake-network.ts";

const child = path.resolve("test/support/network-child.ts");
const rounds = 12;

describe("an agent killed while it configures the network", () => {
  it("leaves all of a configuration, or all of the one before", async () => {
    using guest = new FakeNetwork("networkd");
    for (let round = 0; round < rounds; round++) {
      const agent = spawn(process.execPath, ["--import", "tsx", child, guest.root, "networkd"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(agent, "exit");
      await once(agent.stdout, "data");
      await sleep(5 + round * 13); // whenever it is
      agent.kill("SIGKILL");
      await ended;
      const recordFile = path.join(guest.stateDir, "network/change.json");
      await guest.network().recover();
      const files = guest.files("etc/systemd/network");
      const addresses = Object.values(files).flatMap(
        (content) => /^Address=10\.\d\.0\.(\d+)/m.exec(content)?.[1] ?? [],
      );
      assert.ok(addresses.length === 5 || (addresses.length === 0 && Object.keys(files).length === 0));
      assert.equal(
        new Set(addresses).size,
        addresses.length === 0 ? 0 : 1,
        `round ${round}: ${addresses.join()}`,
      );
      assert.ok(
        Object.keys(files).every((name) => name.startsWith("10-limiquantix-")),
        Object.keys(files).join(),
      );
      if (addresses.length > 0) {
        assert.equal((JSON.parse(readFileSync(recordFile, "utf8")) as { phase: string }).phase, "kept");
      }
    }
  });
});
