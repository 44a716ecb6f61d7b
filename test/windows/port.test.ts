import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { bundleFor } from "../support/windows/bundle.ts";
import { serveTerminals } from "../support/windows/terminal.ts";
import { Wine } from "../support/windows/wine.ts";

const name = "org.limiquantix.agent.0";
/** The agent's ports over a driver to play with; npm test builds it before the suite. */
const fakeDriver = ".cache/win32/fake-driver.node";
/** Else node:test speaks to the runner of this file. */
const asText = { NODE_TEST_CONTEXT: undefined };
const device = `\\\\.\\Global\\${name}`;

describe("ports of Windows", () => {
  let wine: Wine;
  before(async () => {
    wine = await Wine.open();
  });
  after(() => wine[Symbol.asyncDispose]());

  it("keep the contract of all ports", async () => {
    const program = await bundleFor(wine, "test/windows/inside/port-contract.ts");
    const { server, port } = await serveTerminals(wine, name);
    try {
      const { code, stdout, stderr } = await wine.run(
        ["--test-force-exit", program, String(port), device],
        asText,
      );
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^. pass 21$/m, stdout);
    } finally {
      server.close();
    }
  });

  it("bear all that the driver of virtio ports does", async () => {
    const program = await bundleFor(wine, "test/windows/inside/driver.ts", fakeDriver);
    const { code, stdout, stderr } = await wine.run(["--test-force-exit", program], asText);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^. pass 30$/m, stdout);
  });
});
