import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Packs quickly what is shipped packed small. */
const quick = ["--lzma2=preset=0", "--block-size=8MiB"];

/** Makes the archive for a platform in `output`, with what else is in there; gives its path. */
export function makeArchive(platform: string, output: string, environment: NodeJS.ProcessEnv = {}): string {
  const options = JSON.stringify({ output, compression: quick });
  const script = `import("./scripts/package/tarball.mjs")
    .then(({ tarball }) => tarball(${JSON.stringify(platform)}, ${options})).then((file) => console.log(file))`;
  const env = { ...process.env, ...environment };
  return execFileSync(process.execPath, ["-e", script], { env, encoding: "utf8" }).trim();
}

export interface Installed {
  status: number | null;
  output: string;
}

/** The archive for a platform, unpacked in a folder of its own. */
export class Archive {
  readonly #scratch = mkdtempSync(path.join(tmpdir(), "archive-"));
  readonly file: string;
  readonly folder: string;

  constructor(platform: string) {
    this.file = makeArchive(platform, this.#scratch);
    execFileSync("tar", ["-xf", this.file, "-C", this.#scratch]);
    this.folder = this.file.replace(/\.tar\.xz$/, "");
  }

  /** A new folder, gone with the archive. */
  folderFor(name: string): string {
    const folder = path.join(this.#scratch, "for", name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Runs its install.sh by `shell`, as root or what is root to a user. */
  install(args: readonly string[], { shell = ["sh"], env = process.env } = {}): Installed {
    return runAsRoot([...shell, path.join(this.folder, "install.sh"), ...args], env);
  }

  [Symbol.dispose](): void {
    runAsRoot(["rm", "-rf", this.#scratch]);
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** What comes before a command that root is to run: nothing, or what makes a user root of what is theirs. */
export const asRoot = process.getuid?.() === 0 ? [] : ["unshare", "--map-root-user"];

/** Both outputs are in one. */
export function runAsRoot(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Installed {
  const [program = "", ...args] = [...asRoot, "sh", "-c", 'exec "$@" 2>&1', "sh", ...command];
  const { status, stdout, error } = spawnSync(program, args, { encoding: "utf8", env: { ...env } });
  if (error) throw error;
  return { status, output: stdout };
}
