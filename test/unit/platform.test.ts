import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as linux from "../../src/agent/platform/linux.ts";
import * as win32 from "../../src/agent/platform/win32.ts";

describe("platforms", () => {
  it("have the same exports", () => {
    assert.deepEqual(Object.keys(win32).sort(), Object.keys(linux).sort());
  });

  it("refuse what Windows does not have yet, with a code", async () => {
    await assert.rejects(win32.accountOf("alice"), { message: /alice: not supported on Windows yet/ });
  });
});
