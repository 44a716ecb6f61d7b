import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Archive } from "../support/install/archive.ts";
import { ArmMachine } from "../support/vm/arm64/guest.ts";
import { until } from "../support/until.ts";
import { withHost } from "../support/vm/with-host.ts";

const call = { timeoutSeconds: 60 };

let archive: Archive;
before(() => {
  archive = new Archive("linux-arm64");
});
after(() => {
  archive[Symbol.dispose]();
});

describe("agent in a guest for ARM, with busybox", () => {
  it("answers from where install.sh has put it into the image, and is back when it is killed", async () => {
    await using attached = await withHost(await ArmMachine.boot(archive.folder), () => Promise.resolve({}));
    const { host, machine } = attached;
    const { hostname, architecture } = await host.ready(call);
    assert.deepEqual([hostname, architecture], ["guest", "aarch64"]);
    assert.equal((await host.execute({ command: "uname -m", ...call })).stdout, "aarch64\n");
    assert.ok((await host.telemetry(call)).memoryTotalBytes > 500_000_000);
    await machine.expect("kill -9 $(pidof limiquantix-agent)");
    await until(
      "the agent that init has started anew",
      () => host.ping({ timeoutSeconds: 10 }).catch(() => undefined),
      90_000,
    );
  });
});
