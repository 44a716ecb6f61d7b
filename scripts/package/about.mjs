// What all packages say of themselves.
import { readFileSync } from "node:fs";
import path from "node:path";
import { Problem } from "../run.mjs";
import { root } from "../stamps.mjs";

const text = (name) => readFileSync(path.join(root, name), "utf8");

/** The one place where the version is set is package.json. */
export const { version, description } = JSON.parse(text("package.json"));

export const vendor = "LimiQuantix";
export const maintainer = "LimiQuantix <packages@limiquantix.org>";

export const summary = "guest agent for virtual machines on LimiQuantix";
export const longDescription = `Gives the hypervisor a hand in this virtual machine, over a virtio-serial
port and without a network: telemetry, commands, files, shutdown, passwords,
network, snapshots and the clock. It sleeps while no host is there, and does
not run on machines without the port.`;

/** What CHANGELOG.md says of this version; before its release, of what is to be in it. */
export function changes() {
  const changelog = text("CHANGELOG.md");
  const heading = (name) => new RegExp(`^## \\[${name.replaceAll(".", "\\.")}\\].*$`, "m").exec(changelog);
  const found = heading(version) ?? heading("Unreleased");
  if (!found) throw new Problem(`CHANGELOG.md has neither a heading "## [${version}]" nor "## [Unreleased]"`);
  const rest = changelog.slice(found.index + found[0].length);
  const end = rest.search(/^## \[/m);
  return (end < 0 ? rest : rest.slice(0, end)).trim();
}
