import { addon } from "../../../native/addon.ts";
import type { RawProcess } from "../../../native/process.ts";
import { CodedError } from "../../../wire/errors.ts";
import { essentials } from "./environment.ts";
import { systemDrive } from "./places.ts";

const killSignal = 9;

/** What a console can say to those in it, by the numbers of Linux: ^C for SIGINT, CTRL_BREAK for the others that ask for an end. */
const consoleEvents: ReadonlyMap<number, 0 | 1> = new Map([
  [1, 1],
  [2, 0],
  [3, 1],
  [15, 1],
]);

/** How long a helper may take. */
const helperMs = 5_000;

/** Helpers at once; who asks more often than they start is not heard. */
const mostHelpers = 8;
let helpers = 0;

/** Of the command line of this program: it does this and ends. */
export const signalConsoleFlag = "signal-console";

/** To all of a command. False when it has ended. Throws CodedError invalidMessage for what Windows has no like of. */
export function signalCommand(process: RawProcess, number: number): boolean {
  if (number === killSignal || number === 0) return process.signalGroup(number);
  const event = consoleEvents.get(number);
  if (event === undefined) {
    throw new CodedError(
      "invalidMessage",
      `Windows has no signal ${number}: only 1, 2, 3, 9 and 15 mean something there`,
    );
  }
  if (!process.signalGroup(0)) return false;
  if (helpers < mostHelpers) void tellConsole(process.pid, event);
  return true;
}

/**
 * Who sends an event to a console is one of those in it, and gets what they can send: so another process does it. Where it
 * does not come about, the command is not asked, and is ended when its time is over.
 */
async function tellConsole(pid: number, event: 0 | 1): Promise<void> {
  helpers++;
  // The script, unless the executable has it in it.
  const script = process.argv[1] === process.execPath ? [] : [process.argv[1] ?? ""];
  const args = [process.execPath, ...script, `--${signalConsoleFlag}=${pid},${event}`];
  const ended: { now: () => void } = { now: () => undefined };
  try {
    const { ready } = addon.spawn(
      {
        files: [process.execPath],
        args,
        commandLine: args.map((text) => `"${text}"`).join(" "),
        environment: Object.entries(essentials).map(([name, value]) => `${name}=${value}`),
        workingDirectory: systemDrive,
      },
      () => {
        ended.now();
      },
    );
    const helper = await ready;
    const end = new Promise<void>((resolve) => (ended.now = resolve));
    const deadline = setTimeout(() => helper.signalGroup(killSignal), helperMs);
    await end;
    clearTimeout(deadline);
    helper.close();
  } catch {
    // As said above.
  } finally {
    helpers--;
  }
}

/** The helper's part: "PID,EVENT". Throws what the system says. */
export function signalConsole(text: string): void {
  const [, pid, event] = /^(\d+),([01])$/.exec(text) ?? [];
  if (pid === undefined) throw new TypeError(`--${signalConsoleFlag}=PID,0 or PID,1`);
  addon.signalConsole(Number(pid), event === "0" ? 0 : 1);
}
