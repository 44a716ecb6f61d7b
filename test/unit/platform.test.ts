import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as linux from "../../src/agent/platform/linux.ts";
import * as win32 from "../../src/agent/platform/win32.ts";

describe("platforms", () => {
  it("have the same exports", () => {
    assert.deepEqual(Object.keys(win32).sort(), Object.keys(linux).sort());
  });

  it("refuse another user on Windows, with a code and what to do", async () => {
    const request = { user: "alice", group: "", supplementaryGroups: false };
    await assert.rejects(win32.identify(request), {
      code: "cannotSwitchUser",
      message: /user alice.*leave user and group out/,
    });
    await assert.rejects(win32.identify({ ...request, user: "", group: "staff" }), {
      code: "cannotSwitchUser",
    });
    await assert.rejects(win32.accountOf("alice"), { message: /alice: not supported on Windows yet/ });
    assert.ok((await win32.identify({ ...request, user: "" })).user.name);
    assert.deepEqual(win32.shellFor("dir").argv.slice(1), ["/d", "/s", "/c", "dir"]);
  });
});
