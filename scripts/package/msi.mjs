// limiquantix-guest-agent-VERSION-win32-x64.msi, by Debian's wixl: the same bytes from the same commit.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildExecutables } from "../executable.mjs";
import { Problem, main, run } from "../run.mjs";
import { root } from "../stamps.mjs";
import { version } from "./facts.mjs";
import { sourceDate } from "./source-date.mjs";

/** A program in the package, of which a failure is passed over, as SYSTEM, when what was done is undone. */
const undoing = 18 + 0x40 + 0x800 + 0x400 + 0x100;

const program = "limiquantix-agent.exe";

/** Of UUIDs that are made of names here. */
const namespace = Buffer.from("0b1f4f0e6f0d4d3e9f390d6d9b7c2a55", "hex");

/** The same for the same name: version 5 of RFC 9562, as Windows writes it. */
export function uuidOf(name) {
  const hash = createHash("sha1").update(namespace).update(name).digest();
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const hex = hash.toString("hex").toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

/** Windows compares three numbers, of which the first two have a byte each. */
export function windowsVersion(text) {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined || major > 255 || minor > 255 || patch > 65_535)
    throw new Problem(`${text} cannot be the version of an .msi; it has to be like 1.2.3`);
  return `${major}.${minor}.${patch}`;
}

const eventSource = (name, type, value) =>
  `<RegistryValue Root="HKLM" Key="SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\limiquantix-agent" Name="${name}" Type="${type}" Value="${value}"/>`;

const serviceOfIt = `
            <ServiceInstall Id="service" Name="limiquantix-agent" DisplayName="LimiQuantix Guest Agent"
                            Description="Answers the host of this virtual machine: state, commands, files, shutdown."
                            Type="ownProcess" Start="auto" ErrorControl="normal" Arguments="--service"/>
            <ServiceControl Id="service" Name="limiquantix-agent" Start="install" Stop="both" Remove="uninstall" Wait="yes"/>
            ${eventSource("EventMessageFile", "string", "[System64Folder]EventCreate.exe")}
            ${eventSource("TypesSupported", "integer", "7")}`;

const idOf = (name) => (name === program ? "agent.exe" : name.replaceAll("-", "_"));

/** A component for each file: what Windows installs and removes as one. Its GUID is that of its place, for ever. */
function component(name) {
  const file = `<File Id="${idOf(name)}" Name="${name}" Source="files/${name}" KeyPath="yes"/>`;
  return `<Component Id="${idOf(name)}" Guid="${uuidOf(`component ${name}`)}" Win64="yes">
            ${file}${name === program ? serviceOfIt : ""}
          </Component>`;
}

/** What wixl makes into the .msi of version `as`, of files that are in the folder "files" beside it. */
export function recipe(names, as) {
  const values = {
    ProductCode: uuidOf(`product ${as}`),
    Version: windowsVersion(as),
    Components: names.map((name) => component(name)).join("\n          "),
    ComponentRefs: names.map((name) => `<ComponentRef Id="${idOf(name)}"/>`).join("\n      "),
  };
  const text = readFileSync(path.join(root, "packaging/windows/limiquantix-agent.wxs"), "utf8");
  return text.replace(/\$\(var\.(\w+)\)/g, (_all, name) => values[name]);
}

/** What wixl cannot be told: actions that undo, which it would run at once, and a number and time of its own for each run. */
async function amend(file, code, epoch, scratch) {
  for (const action of ["UndoService", "RestoreService"])
    await run("msibuild", [file, "-q", `UPDATE CustomAction SET Type=${undoing} WHERE Action='${action}'`]);
  const time = new Date(epoch * 1000).toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
  const own = { 9: `{${code}}`, 12: time, 13: time };
  const summary = await run("msiinfo", ["export", file, "_SummaryInformation"]);
  const table = path.join(scratch, "summary.idt");
  writeFileSync(
    table,
    summary.replace(/^(9|12|13)\t.*(?=\r$)/gm, (_line, number) => `${number}\t${own[number]}`),
  );
  await run("msibuild", [file, "-i", table]);
}

/** Of everything in it: Windows takes two with the same code for the same. */
function codeOf(text, epoch, folder) {
  const hash = createHash("sha256").update(`${text}${epoch}`);
  for (const name of readdirSync(folder).sort())
    hash.update(`\0${name}\0`).update(readFileSync(path.join(folder, name)));
  return uuidOf(`package ${hash.digest("hex")}`);
}

/** Packs the files in `folder` as `file`. */
export async function pack(folder, file, as) {
  const epoch = await sourceDate();
  const scratch = mkdtempSync(path.join(tmpdir(), "msi-"));
  try {
    const staged = path.join(scratch, "files");
    mkdirSync(staged);
    for (const name of readdirSync(folder)) {
      copyFileSync(path.join(folder, name), path.join(staged, name));
      utimesSync(path.join(staged, name), epoch, epoch);
    }
    const source = path.join(scratch, "limiquantix-agent.wxs");
    const text = recipe(readdirSync(folder).sort(), as);
    writeFileSync(source, text);
    rmSync(file, { force: true });
    await run("wixl", ["--arch", "x64", "--output", file, source], { env: { TZ: "UTC" } });
    await amend(file, codeOf(text, epoch, staged), epoch, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Makes it in `output` and gives its path; tests make one of another version. */
export async function msi({ output = path.join(root, "dist/packages"), as = version } = {}) {
  await buildExecutables(["win32-x64"]);
  mkdirSync(output, { recursive: true });
  const file = path.join(output, `limiquantix-guest-agent-${as}-win32-x64.msi`);
  await pack(path.join(root, "dist/executable/win32-x64/limiquantix-agent"), file, as);
  return file;
}

// For tests: FILE VERSION.
if (process.argv[1] === import.meta.filename) {
  const [file, as] = process.argv.slice(2);
  await main(() => pack(path.join(root, "dist/executable/win32-x64/limiquantix-agent"), file, as));
}
