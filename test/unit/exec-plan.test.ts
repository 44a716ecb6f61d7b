import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Command } from "commander";
import { globalOptions } from "../../src/cli/command.ts";
import { addExecOptions } from "../../src/cli/commands/exec.ts";
import { type Plan, planOf } from "../../src/cli/exec/plan.ts";

/** What `exec` makes of these words. Throws as it would. */
function plan(...words: string[]): Plan {
  const program = new Command().enablePositionalOptions().exitOverride();
  program.configureOutput({ outputError: () => undefined });
  const command = program.command("exec [command...]").action(() => undefined);
  addExecOptions(command);
  for (const option of globalOptions()) command.addOption(option);
  program.parse(["exec", ...words], { from: "user" });
  return planOf(command.opts(), command.args);
}

describe("the command line of exec", () => {
  const started = { action: "spawn", input: false, terminal: false, kept: false };
  const usual = { stdin: false, onDisconnect: "kill" };

  it("takes the first word that is no option for the command, and leaves the rest alone", () => {
    const expected = {
      ...started,
      options: { command: "ls", args: ["-l", "--json", "--", "-u"], ...usual },
    };
    assert.deepEqual(plan("--vm", "web1", "ls", "-l", "--json", "--", "-u"), expected);
    assert.deepEqual(plan("--vm", "web1", "--", "ls", "-l", "--json", "--", "-u"), expected);
  });

  it("runs a command whose name looks like an option", () => {
    assert.deepEqual(plan("--", "--odd"), { ...started, options: { command: "--odd", ...usual } });
  });

  it("passes on user, group, environment, folder and limit", () => {
    const words = ["-u", "www", "-g", "33", "-e", "A=1", "-e", "B=x=y", "--env", "C=", "-w", "/srv"];
    assert.deepEqual(plan(...words, "--timeout", "1.5", "env"), {
      ...started,
      options: {
        command: "env",
        user: "www",
        group: "33",
        env: { A: "1", B: "x=y", C: "" },
        cwd: "/srv",
        timeoutSeconds: 2,
        ...usual,
      },
    });
  });

  it("makes one line of the words with --shell", () => {
    const { options } = plan("--shell", "ls -l", "|", "wc") as Extract<Plan, { action: "spawn" }>;
    assert.deepEqual(options, { command: "ls -l | wc", shell: true, ...usual });
  });

  it("passes standard input on with -i, and with -t, which can be one word", () => {
    const input = plan("-i", "cat") as Extract<Plan, { action: "spawn" }>;
    assert.deepEqual([input.input, input.options.stdin, input.terminal], [true, true, false]);
    for (const words of [["-t"], ["-it"]]) {
      const terminal = plan(...words, "top") as Extract<Plan, { action: "spawn" }>;
      assert.deepEqual([terminal.input, terminal.options.stdin, terminal.terminal], [true, true, true]);
    }
  });

  it("keeps a command with --keep", () => {
    const kept = plan("--keep", "sleep", "1") as Extract<Plan, { action: "spawn" }>;
    assert.deepEqual([kept.kept, kept.options.onDisconnect], [true, "keep"]);
  });

  it("runs for one answer with --json, never by a shell that was not asked for", () => {
    const cases: [words: string[], options: object][] = [
      [["ls", "-l"], { command: "ls", args: ["-l"] }],
      [["ls"], { command: "exec 'ls'" }],
      [["it's $HOME"], { command: `exec 'it'\\''s $HOME'` }],
      [["--shell", "ls | wc"], { command: "ls | wc" }],
    ];
    for (const [words, options] of cases) {
      assert.deepEqual(plan("--json", ...words), { action: "execute", options });
    }
  });

  it("lists and attaches", () => {
    assert.deepEqual(plan("--list"), { action: "list" });
    assert.deepEqual(plan("--list", "--json"), { action: "list" });
    assert.deepEqual(plan("--attach", "e1"), { action: "attach", execId: "e1", input: false });
    assert.deepEqual(plan("--attach", "e1", "-i"), { action: "attach", execId: "e1", input: true });
  });

  const wrong: [words: string[], message: RegExp][] = [
    [[], /which command\?/],
    [["--shell"], /which command\?/],
    [["", "x"], /the command is empty/],
    [["-e", "A", "env"], /NAME=VALUE/],
    [["-e", "=1", "env"], /NAME=VALUE/],
    [["--json", "-i", "cat"], /--json and --stdin/],
    [["--json", "-t", "top"], /--json and --terminal/],
    [["--json", "--keep", "sleep", "1"], /--json and --keep/],
    [["--list", "ls"], /--list takes no command/],
    [["--list", "--attach", "e1"], /--list and --attach/],
    [["--attach", "e1", "ls"], /--attach takes no command/],
    [["--attach", "e1", "-u", "root"], /--attach and --user/],
    [["--attach", "e1", "--json"], /--attach and --json/],
    [["--loud", "ls"], /unknown option '--loud'/],
  ];
  for (const [words, message] of wrong) {
    it(`refuses: exec ${words.join(" ")}`, () => {
      assert.throws(() => plan(...words), { message });
    });
  }
});
