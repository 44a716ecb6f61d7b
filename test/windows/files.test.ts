import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Client } from "../../src/host/index.ts";
import { WindowsAgent } from "../support/windows/agent.ts";
import { pattern } from "../support/with-files.ts";

describe("files of a Windows guest", () => {
  let agent: WindowsAgent;
  let client: Client;
  before(async () => {
    agent = await WindowsAgent.start();
    client = await agent.connect();
    await client.files.mkdir("C:\\work");
  });
  after(async () => {
    await client.close();
    console.log(agent.log.slice(-3000));
    await agent[Symbol.asyncDispose]();
  });

  it("come and go whole", async () => {
    const { files } = client;
    const data = pattern(1_000_000);
    const info = await files.writeFile("c:/work/a.bin", data);
    console.log(info);
    assert.deepEqual(await files.readFile("C:\\work\\a.bin"), data);
    console.log(await files.stat("C:\\work\\a.bin"));
    for await (const e of files.list("C:\\work")) console.log(e);
  });
});
