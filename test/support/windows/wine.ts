import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const cache = path.resolve(".cache/windows");
const server = "/usr/lib/wine/wineserver64";

/** A path of this machine as Windows programs see it. */
export function windowsPath(place: string): string {
  return `Z:${path.resolve(place).replaceAll("/", "\\")}`;
}

function environmentFor(prefix: string): NodeJS.ProcessEnv {
  return { ...process.env, DISPLAY: undefined, WINEPREFIX: prefix, WINEDEBUG: "-all" };
}

/** node.exe as it is shipped, from the npm registry once. */
function nodeExe(): string {
  const args = ["scripts/node-binaries.mjs", "win32-x64"];
  return execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
}

/** A prefix as Wine makes it, set to Windows 10: Node.js does not start on an older one. Made once. */
function template(): string {
  const made = path.join(cache, "prefix");
  if (existsSync(made)) return made;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(path.join(cache, "prefix-"));
  const options = { env: environmentFor(scratch), stdio: "ignore" as const };
  execFileSync("wine", ["wineboot", "-i"], options);
  execFileSync("wine", ["winecfg", "-v", "win10"], options);
  execFileSync(server, ["-w"], options);
  renameSync(scratch, made);
  return made;
}

/** What a Windows program printed and how it ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A Windows of its own: a folder, its drives and registry, and the server that all programs in it share. */
export class Wine implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "wine-"));
  readonly prefix = path.join(this.folder, "prefix");
  readonly node = nodeExe();
  #programs = 0;

  private constructor() {
    cpSync(template(), this.prefix, { recursive: true, verbatimSymlinks: true });
  }

  /** The server stays until the end: without it, closing a terminal would hang up the programs that have it open. */
  static async open(): Promise<Wine> {
    const wine = new Wine();
    const log = openSync(path.join(wine.folder, "server.log"), "a");
    const started = spawn(server, ["-p"], { env: wine.env, stdio: ["ignore", "ignore", log] });
    await new Promise((resolve) => started.once("exit", resolve)); // it goes on in the background
    return wine;
  }

  get env(): NodeJS.ProcessEnv {
    return environmentFor(this.prefix);
  }

  /** drive_c as a path of this machine. */
  get driveC(): string {
    return path.join(this.prefix, "drive_c");
  }

  /** `\\.\Global\NAME` is this terminal or pipe of the host from now on. */
  linkDevice(name: string, target: string): void {
    const folder = path.join(this.prefix, "dosdevices/global");
    mkdirSync(folder, { recursive: true });
    const link = path.join(folder, name.toLowerCase());
    rmSync(link, { force: true });
    execFileSync("ln", ["-s", target, link]);
  }

  /** Files and folders that programs in it have open: its server has a descriptor of each. */
  get openFiles(): number {
    const { dev, ino } = statSync(this.prefix);
    const folder = `server-${dev.toString(16)}-${ino.toString(16)}`;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        if (!readlinkSync(`/proc/${pid}/cwd`).endsWith(folder)) continue;
        return readdirSync(`/proc/${pid}/fd`).length;
      } catch {
        continue; // it has ended meanwhile
      }
    }
    throw new Error("Wine's server does not run");
  }

  /** Starts a Windows program. Its output goes to files: node.exe takes no pipes of Linux. */
  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): WineProcess {
    return new WineProcess(path.join(this.folder, String(++this.#programs)), program, args, {
      ...this.env,
      ...env,
    });
  }

  /** Runs node.exe to its end. */
  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return await this.start(this.node, args, env).ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execute(server, ["-k"], { env: this.env }).catch(() => undefined); // fails when it has ended already
    await execute(server, ["-w"], { env: this.env });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A Windows program that was started from here. */
export class WineProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #output: string;

  constructor(output: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#output = output;
    const [out, err] = [openSync(`${output}.out`, "w"), openSync(`${output}.err`, "w")];
    // One that outlived its test would open the next terminal that has this one's number.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "wine", program, ...args], {
      env,
      stdio: ["ignore", out, err],
    });
    this.#child = child;
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get stdout(): string {
    return readFileSync(`${this.#output}.out`, "utf8");
  }

  get stderr(): string {
    return readFileSync(`${this.#output}.err`, "utf8");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
