import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { PasswordRequest } from "../../src/agent/users/passwords.ts";
import { WindowsPasswords, type WindowsUsers } from "../../src/agent/users/win32.ts";
import { CodedError } from "../../src/wire/errors.ts";
import { windowsError } from "../support/windows/windows-error.ts";

const noSignal = new AbortController().signal;
const secret = "correct horse";

/** Accounts that only exist here. */
class FakeUsers implements WindowsUsers {
  readonly flags: Record<string, number> = { Alice: 0x200 };
  /** [name, password, mustChange] */
  readonly set: unknown[] = [];
  failure: Error | undefined;

  findLocalUser = (name: string): ReturnType<WindowsUsers["findLocalUser"]> => {
    const found = Object.entries(this.flags).find(([each]) => each.toLowerCase() === name.toLowerCase());
    return Promise.resolve(found && { name: found[0], flags: found[1] });
  };

  setUserPassword = (...change: Parameters<WindowsUsers["setUserPassword"]>): Promise<void> => {
    if (this.failure) return Promise.reject(this.failure);
    this.set.push(change);
    return Promise.resolve();
  };
}

async function refusal(users: FakeUsers, request: Partial<PasswordRequest>): Promise<CodedError> {
  const error = await set(users, request).catch((cause: unknown) => cause);
  assert.ok(error instanceof CodedError, String(error));
  assert.ok(!error.message.includes(secret));
  return error;
}

function set(users: FakeUsers, request: Partial<PasswordRequest>): Promise<void> {
  const whole = { user: "alice", secret, hashed: false, expire: false, ...request };
  return new WindowsPasswords(users).set(whole, noSignal);
}

describe("a password on Windows", () => {
  it("is set for the user as Windows writes the name, for good or for one logon", async () => {
    const users = new FakeUsers();
    await set(users, {});
    await set(users, { expire: true });
    assert.deepEqual(users.set, [
      ["Alice", secret, false],
      ["Alice", secret, true],
    ]);
  });

  it("is refused where nobody could log in with it, or a hash", async () => {
    const users = new FakeUsers();
    for (const [request, problem] of [
      [{ secret: "" }, /: it is empty; nothing was changed/],
      [{ secret: "a\0b" }, /NUL byte/],
      [{ secret: "x".repeat(128) }, /longer than the 127 characters/],
      [{ secret: "$6$x$y", hashed: true }, /Windows takes no hash; give the password itself/],
    ] as const)
      assert.match((await refusal(users, request)).message, problem);
    assert.deepEqual(users.set, []);
  });

  it("cannot expire for a user who would not be asked, or could not answer", async () => {
    const users = new FakeUsers();
    users.flags["Never"] = 0x1_0200;
    users.flags["Fixed"] = 0x240;
    assert.match((await refusal(users, { user: "never", expire: true })).message, /set never to; nothing/);
    assert.match((await refusal(users, { user: "fixed", expire: true })).message, /may not change it/);
    await set(users, { user: "never" });
    assert.deepEqual(users.set, [["Never", secret, false]]);
  });
});

describe("what Windows says of a password is told with what to do", () => {
  for (const [number, problem] of [
    [5, /the agent may not \(Windows error 5\); run it .* as LocalSystem; nothing was changed/],
    [1314, /as LocalSystem/],
    [2245, /the password policy refuses it: too short.*net accounts/],
    [1325, /the password policy refuses it/],
    [2244, /it was used before/],
    [2226, /domain controller that takes no changes/],
    [2351, /look at the computer's name/],
    [1722, /may still be starting/],
    [1234, /Windows error 1234/],
  ] as const)
    it(String(number), async () => {
      const users = new FakeUsers();
      users.failure = windowsError(number, "NetUserSetInfo");
      const error = await refusal(users, {});
      assert.equal(error.code, "password");
      assert.match(error.message, problem);
      assert.match(error.wireText, /^QXGA-5003 cannot set the password of alice: /);
    });

  it("and that there is no such user, as such", async () => {
    const users = new FakeUsers();
    assert.equal((await refusal(users, { user: "bob" })).code, "noSuchUser");
    users.failure = windowsError(2221, "NetUserSetInfo");
    assert.equal((await refusal(users, {})).code, "noSuchUser");
  });
});

describe("the name of a user on Windows", () => {
  it("has no domain", async () => {
    for (const user of ["CORP\\alice", ".\\alice", "alice\\"])
      assert.match((await refusal(new FakeUsers(), { user })).message, /give the name without a domain/);
  });

  it("is refused, whatever it is, where there can be no such user", async () => {
    const character = fc.constantFrom(...Array.from('"/[]:;|=,+*?<>\u0000\n\u007f\ufffd'));
    const names = fc
      .tuple(fc.string({ maxLength: 5 }), character, fc.string({ maxLength: 5 }))
      .map((parts) => parts.join(""));
    const users = new FakeUsers();
    users.findLocalUser = () => assert.fail("it was asked for");
    await fc.assert(
      fc.asyncProperty(fc.oneof(names, fc.constantFrom("", ".", " . ", "x".repeat(257))), async (user) => {
        assert.equal((await refusal(users, { user })).code, "noSuchUser");
      }),
    );
  });
});
