import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { it } from "node:test";

/** Of RunSynchronousCommand's Path, by its documentation. */
const longestCommand = 259;

it("the answer file for Windows Setup is well-formed, and installs driver and agent without asking", () => {
  const commands = execFileSync(
    "xmllint",
    ["--xpath", "//*[local-name()='Path']/text()", "packaging/windows/autounattend.xml"],
    { encoding: "utf8" },
  )
    .trim()
    .split("\n");
  assert.equal(commands.length, 2);
  for (const command of commands) assert.ok(command.length <= longestCommand, command);
  assert.match(commands[0] ?? "", /pnputil \/add-driver .*vioser\.inf \/install/);
  assert.match(commands[1] ?? "", /msiexec \/i .*\.msi \/qn \/norestart/);
});
