import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "../../../wire/errors.ts";
import { failureText } from "../../tools/tools.ts";
import { ConfigFiles, type FileSet, readConfigFile, writeNew } from "../config-files.ts";
import type { NetworkDocument } from "../document.ts";
import { isErrno } from "../../files/file-error.ts";
import { type Backend, type BackendOptions, type Change, applySeconds, lookSeconds } from "./backend.ts";
import { hasProgram, isThere } from "./programs.ts";

/** Behind those of installers and cloud-init (50-), so that it has the last word. */
const ourFile = "99-limiquantix.yaml";

/** netplan-generate(8): where it reads, the later ones first when names are the same. */
const netplanFolders = ["/lib/netplan", "/usr/lib/netplan", "/etc/netplan", "/run/netplan"];

/** Wireless passwords are in it, and netplan warns of any other. */
const mode = 0o600;

/** Where the agent keeps what must not outlive a boot. */
const runFolder = "/run/limiquantix";
const scratchPrefix = "network-";

/** The document as it is, as a file of netplan's. */
export class Netplan implements Backend {
  readonly name = "netplan";
  readonly files: ConfigFiles;
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.files = new ConfigFiles(options.root, "/etc/netplan", (name) => name === ourFile);
  }

  async isThere(): Promise<boolean> {
    const { root } = this.#options;
    return (await isThere(path.join(root, "/etc/netplan"))) && (await hasProgram(root, "netplan"));
  }

  render({ text }: NetworkDocument): FileSet {
    return new Map([[ourFile, { mode, content: text.endsWith("\n") ? text : `${text}\n` }]]);
  }

  documentIn(files: FileSet): string {
    return files.get(ourFile)?.content ?? "";
  }

  /** With all other documents of the guest: what contradicts one of them is no configuration. */
  async validate(files: FileSet, signal: AbortSignal): Promise<void> {
    await this.#withScratchRoot(files, async (scratch) => {
      const options = { signal, timeoutSeconds: lookSeconds };
      const result = await this.#options.tools.run("netplan", ["generate", "--root-dir", scratch], options);
      if (result.exitCode === 0 && !result.timedOut) return;
      const said = failureText("netplan generate", result).replaceAll(scratch, "");
      throw new CodedError("network", said);
    });
  }

  remember(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async apply({ from }: Change): Promise<void> {
    // What it was tells netplan which virtual interfaces are to go.
    await this.#withScratchRoot(from, async (scratch) => {
      const options = { timeoutSeconds: applySeconds };
      const { tools } = this.#options;
      let result = await tools.run("netplan", ["apply", "--state", scratch], options);
      // 0.103 and earlier.
      if (result.stderr.includes("unrecognized arguments"))
        result = await tools.run("netplan", ["apply"], options);
      if (result.exitCode === 0 && !result.timedOut) return;
      throw new CodedError("network", failureText("netplan apply", result));
    });
  }

  async show(signal: AbortSignal): Promise<string> {
    const options = { signal, timeoutSeconds: lookSeconds };
    const result = await this.#options.tools.run("netplan", ["get"], options);
    if (result.exitCode === 0 && !result.timedOut) return result.stdout;
    // What it says may quote a line with a password in it, of a document that others have written.
    throw new CodedError(
      "network",
      `netplan get failed (exit code ${result.exitCode}); run it in the guest to see why`,
    );
  }

  /** A root folder with the guest's documents, and ours as in `files`, for as long as `body` needs it. */
  async #withScratchRoot(files: FileSet, body: (scratch: string) => Promise<void>): Promise<void> {
    const { root } = this.#options;
    const run = path.join(root, runFolder);
    await mkdir(run, { recursive: true, mode: 0o755 });
    await removeScratchRoots(run);
    const scratch = await mkdtemp(path.join(run, scratchPrefix)); // 0700
    try {
      await mkdir(path.join(scratch, "etc/netplan"), { recursive: true, mode: 0o700 });
      for (const folder of netplanFolders) await this.#copyOthers(folder, scratch);
      for (const [name, file] of files) await writeNew(path.join(scratch, "etc/netplan", name), file);
      await body(scratch);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #copyOthers(folder: string, scratch: string): Promise<void> {
    const from = path.join(this.#options.root, folder);
    const names = await readdir(from).catch((error: unknown): string[] => {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    });
    const to = path.join(scratch, folder);
    for (const name of names.filter((each) => each.endsWith(".yaml") && !isOurs(folder, each))) {
      const file = await readConfigFile(path.join(from, name), { follow: true });
      if (!file) continue;
      await mkdir(to, { recursive: true, mode: 0o700 });
      await writeNew(path.join(to, name), { mode, content: file.content });
    }
  }
}

function isOurs(folder: string, name: string): boolean {
  return folder === "/etc/netplan" && name === ourFile;
}

/** What an agent that was killed has left; there is one change at a time. */
async function removeScratchRoots(run: string): Promise<void> {
  for (const name of await readdir(run)) {
    if (name.startsWith(scratchPrefix)) await rm(path.join(run, name), { recursive: true, force: true });
  }
}
