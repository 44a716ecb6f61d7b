import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { bundleFor } from "../support/windows/bundle.ts";
import { serveTerminals } from "../support/windows/terminal.ts";
import { Wine } from "../support/windows/wine.ts";

const name = "org.limiquantix.agent.0";
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
      const { code, stdout, stderr } = await wine.run([program, String(port), device]);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^. pass 2[1-9]$/m, stdout);
    } finally {
      server.close();
    }
  });
});
