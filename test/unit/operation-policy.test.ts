import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Config } from "../../src/agent/config/config.ts";
import { effects } from "../../src/agent/policy/effects.ts";
import { OperationPolicy } from "../../src/agent/policy/operation-policy.ts";
import { problemOfPattern } from "../../src/agent/policy/operation-pattern.ts";
import { type RequestName, operationName, responseOf } from "../../src/wire/operations.ts";

type Rules = Pick<
  Config["security"],
  "operations" | "disabled_operations" | "read_only" | "max_requests_per_second"
>;
const open: Rules = {
  operations: { allow: [], deny: [] },
  disabled_operations: [],
  read_only: false,
  max_requests_per_second: 0,
};
const all = Object.keys(responseOf) as RequestName[];
const allowedBy = (rules: Partial<Rules>): RequestName[] => {
  const policy = new OperationPolicy({ ...open, ...rules });
  return all.filter((name) => policy.isAllowed(name));
};

describe("policy of operations", () => {
  const some = fc.subarray(all.filter((name) => effects[name] !== "talk").map(operationName));

  it("never allows more for another rule", () => {
    fc.assert(
      fc.property(some, some, some, fc.boolean(), (allow, deny, disabled, readOnly) => {
        const loose = allowedBy({ operations: { allow, deny: [] } });
        const tight = allowedBy({
          operations: { allow, deny },
          disabled_operations: disabled,
          read_only: readOnly,
        });
        for (const name of tight) {
          assert.ok(loose.includes(name));
          assert.ok(!deny.includes(operationName(name)) && !disabled.includes(operationName(name)));
          if (readOnly) assert.notEqual(effects[name], "changes");
        }
        for (const name of all) if (effects[name] === "talk") assert.ok(tight.includes(name));
      }),
    );
  });

  it("takes no text for more than it says", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const isName = all.some((name) => operationName(name) === text);
        assert.ok(isName || text.includes("*") || problemOfPattern(text) !== undefined);
      }),
    );
    assert.equal(problemOfPattern("file_*"), undefined);
    assert.match(problemOfPattern("file.*") ?? "", /is not an operation/);
    assert.match(problemOfPattern("pin*") ?? "", /cannot be switched off/);
  });

  it("is told for each operation in docs/policy.md", () => {
    const table = readFileSync("docs/policy.md", "utf8").split("## Operations")[1] ?? "";
    for (const name of all) {
      const row = table.split("\n").find((line) => line.includes(`\`${operationName(name)}\``));
      assert.ok(row, `${operationName(name)} is not there`);
      const expected = { talk: /^Always allowed/, reads: /^\|[^|]*\| no \|/, changes: /^\|[^|]*\| yes \|/ };
      assert.match(row, expected[effects[name]], operationName(name));
    }
  });
});
