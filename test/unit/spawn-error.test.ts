import assert from "node:assert/strict";
import { test } from "node:test";
import { spawnError } from "../../src/agent/commands/spawn-error.ts";

function said(syscall: string, windowsError: number, path = "C:\\x.exe"): [string, string] {
  const cause = Object.assign(new Error(`UNKNOWN: Windows error ${windowsError}, ${syscall}`), {
    code: "UNKNOWN",
    syscall,
    windowsError,
    path,
  });
  const { code, message } = spawnError(cause, "C:\\work", "SYSTEM");
  return [code, message];
}

test("what Windows says of a command that does not start has a code and says what to do", () => {
  assert.deepEqual(said("CreateProcessW", 2), ["commandNotFound", "command not found: C:\\x.exe"]);
  assert.deepEqual(said("CreateProcessW", 5), ["commandPermission", "SYSTEM may not execute C:\\x.exe"]);
  assert.equal(said("CreateProcessW", 740)[0], "commandPermission");
  assert.deepEqual(said("CreateProcessW", 193), [
    "spawn",
    "cannot execute C:\\x.exe: it is no program for this Windows",
  ]);
  assert.match(said("CreateProcessW", 1455)[1], /cannot start C:\\x\.exe: Windows error 1455/);
  assert.equal(said("CreateProcessAsUserW", 1314)[0], "cannotSwitchUser");
  assert.equal(said("chdir", 267)[0], "workingDirectory");
  assert.match(said("CreatePseudoConsole", 50)[1], /version 1809.*run it without one/);
  for (const call of ["LsaRegisterLogonProcess", "LsaLogonUser", "LookupAccountNameW"]) {
    const [code, message] = said(call, 1385);
    assert.equal(code, "cannotSwitchUser");
    assert.match(message, /Windows error 1385; the agent must run as LocalSystem/);
  }
});
