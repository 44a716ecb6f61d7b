import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Variables, environmentFor } from "../../src/agent/commands/win32/environment.ts";
import { candidatesFor, isBatch } from "../../src/agent/commands/win32/executable.ts";
import { identify } from "../../src/agent/commands/win32/identity.ts";
import { batchLine, cmdLine, commandLineOf, quoteArgument } from "../../src/agent/commands/win32/quoting.ts";
import { win32Commands } from "../../src/agent/commands/win32/system.ts";
import type { AccountRecord } from "../../src/native/process.ts";
import { argvOf } from "../support/windows/argv.ts";

const cmd = "C:\\Windows\\System32\\cmd.exe";
const nasty = fc.string({
  unit: fc.constantFrom('"', "\\", " ", "\t", "a", "é", "😀", "%", "^", "&", "|", "\n"),
});

describe("a command line of Windows", () => {
  it("is taken apart into the same arguments", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(nasty, fc.string())), (args) => {
        const line = commandLineOf(["C:\\Program Files\\tool.exe", ...args]);
        assert.deepEqual(argvOf(line), ["C:\\Program Files\\tool.exe", ...args]);
      }),
    );
  });

  it("leaves alone what needs no quotes", () => {
    assert.equal(quoteArgument("C:\\a\\b"), "C:\\a\\b");
    assert.equal(quoteArgument(""), '""');
    assert.equal(quoteArgument("a b\\"), '"a b\\\\"');
  });

  it("is refused when Windows would cut it off", () => {
    assert.throws(() => commandLineOf(["a.exe", "x".repeat(40_000)]), { code: "spawn" });
    assert.throws(() => cmdLine(cmd, "x".repeat(9_000)), { code: "spawn" });
  });

  it("gives cmd.exe the line as it is, and no second one", () => {
    assert.equal(cmdLine(cmd, 'echo "a" & dir\r\n'), `"${cmd}" /d /s /c "echo "a" & dir"`);
    assert.throws(() => cmdLine(cmd, "echo 1\necho 2"), { code: "invalidMessage", message: /one line/ });
  });

  it("of a batch file has no argument that cmd.exe would take apart", () => {
    assert.equal(
      batchLine(cmd, "C:\\a b\\x.bat", ["a&b", "c\\", ""]),
      `"${cmd}" /d /e:on /v:off /s /c ""C:\\a b\\x.bat" "a&b" "c\\\\" """`,
    );
    for (const bad of ['"', "%PATH%", "a\nb", '"&calc&"']) {
      assert.throws(() => batchLine(cmd, "C:\\x.bat", [bad]), {
        code: "invalidMessage",
        message: /batch file/,
      });
    }
  });
});

describe("a program of Windows", () => {
  const place = { searchPath: 'C:\\bin;;.;relative;"D:\\two words";\\\\host\\share', folder: "C:\\work" };

  it("is looked for in the folders of PATH that are on drives, never in the working folder", () => {
    const found = candidatesFor("tool", place);
    assert.deepEqual(
      found.slice(0, 4),
      ["com", "exe", "bat", "cmd"].map((end) => `C:\\bin\\tool.${end}`),
    );
    assert.deepEqual([...new Set(found.map((file) => file.slice(0, 2)))], ["C:", "D:"]);
    assert.equal(candidatesFor("tool.exe", place)[0], "C:\\bin\\tool.exe");
    assert.equal(candidatesFor("sub\\tool.exe", place)[0], "C:\\work\\sub\\tool.exe");
  });

  it("is not a share, a device, a stream, or a name that Windows reads otherwise", () => {
    for (const odd of [
      "\\\\host\\x.exe",
      "\\\\?\\C:\\x.exe",
      "\\\\.\\pipe\\x",
      "C:x.exe",
      "a.exe:b",
      "a.bat.",
      "a.bat ",
      "a*",
      "",
    ]) {
      assert.throws(() => candidatesFor(odd, place), { code: "commandNotFound" }, odd);
    }
    assert.ok(isBatch({ file: "C:\\a.BAT", target: "C:\\a.BAT", names: [] }));
    assert.ok(isBatch({ file: "C:\\a.exe", target: "C:\\b.cmd", names: [] }));
  });

  it("is compared as Windows compares files", () => {
    assert.ok(win32Commands.isSameFile("C:\\Windows\\System32\\CMD.EXE", "c:\\windows\\system32\\cmd.exe"));
    for (const name of ["Path", "PATHEXT", "comspec", "COR_PROFILER"])
      assert.match(name, win32Commands.steering);
    assert.ok(win32Commands.isAbsolute("C:\\x"));
    for (const folder of ["\\x", "C:x", "\\\\host\\x", "/x"])
      assert.equal(win32Commands.isAbsolute(folder), false, folder);
  });
});

describe("the environment of a command of Windows", () => {
  const read = () =>
    Promise.resolve(["Path=C:\\bin", "SystemRoot=C:\\Windows", "=C:=C:\\x", "A=1=2", "TEMP=C:\\T"]);

  it("is what the registry says, with what the host adds, in one spelling and sorted", async () => {
    const variables = await environmentFor(
      { user: { name: "x", home: "C:\\u", shell: cmd } },
      { path: "D:\\bin", b: "3" },
      read,
    );
    assert.equal(variables.get("PATH"), "D:\\bin");
    assert.equal(variables.get("A"), "1=2");
    assert.equal(variables.get("SystemRoot"), "C:\\Windows");
    const names = [...variables.keys()].map((name) => name.toUpperCase());
    assert.deepEqual(names, [...names].sort());
    assert.equal(new Set(names).size, names.length);
    await assert.rejects(environmentFor({ user: { name: "x", home: "", shell: cmd } }, { "a=b": "" }, read), {
      code: "invalidMessage",
    });
  });

  it("has another user's folders", async () => {
    const variables = await environmentFor(
      { user: { name: "PC\\bob", home: "C:\\Users\\bob", shell: cmd }, account: "PC\\bob" },
      {},
      async (own) => (assert.equal(own, false), await read()),
    );
    assert.equal(variables.get("USERPROFILE"), "C:\\Users\\bob");
    assert.equal(variables.get("USERNAME"), "bob");
    assert.equal(variables.get("TEMP"), "C:\\Users\\bob\\AppData\\Local\\Temp");
  });

  it("is there when the registry does not answer", async () => {
    const variables = await environmentFor({ user: { name: "x", home: "", shell: cmd } }, {}, () =>
      Promise.reject(new Error("no registry")),
    );
    assert.ok(variables.has("SystemRoot") && variables.has("PATH"));
  });

  it("spells a variable as it was spelt first", () => {
    const variables = new Variables();
    variables.set("Temp", "1");
    variables.set("TEMP", "2");
    assert.deepEqual([...variables.sorted()], [["Temp", "2"]]);
  });
});

describe("a user of Windows", () => {
  const request = { user: "bob", group: "", supplementaryGroups: false };
  const bob: AccountRecord = {
    name: "bob",
    domain: "PC",
    sid: "S-1-5-21-1",
    home: "C:\\Users\\bob",
    isUser: true,
  };
  const finds = (record: AccountRecord | undefined) => () => Promise.resolve(record);

  it("is who Windows says", async () => {
    const identity = await identify(request, finds(bob));
    assert.equal(identity.account, "PC\\bob");
    assert.equal(identity.user.home, "C:\\Users\\bob");
    const homeless = await identify(request, finds({ ...bob, home: "" }));
    assert.equal(homeless.user.home, "C:\\");
    assert.equal((await identify({ ...request, user: "" }, finds(undefined))).account, undefined);
  });

  it("is refused when there is none, it is a group, or it comes with a group", async () => {
    await assert.rejects(identify(request, finds(undefined)), { code: "noSuchUser" });
    await assert.rejects(identify(request, finds({ ...bob, isUser: false })), { code: "cannotSwitchUser" });
    await assert.rejects(identify({ ...request, group: "staff" }, finds(bob)), {
      code: "noSuchGroup",
      message: /leave the group out/,
    });
    await assert.rejects(
      identify(request, () => Promise.reject(new Error("no server"))),
      { message: /no server/ },
    );
  });
});
