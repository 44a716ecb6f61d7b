// A program that takes the terminal and then fails; see test/integration/ctl-shell.test.ts.
import { LocalTerminal } from "../../src/cli/exec/local-terminal.ts";

new LocalTerminal(() => undefined);
setTimeout(() => {
  throw new Error("of its own");
}, 100);
