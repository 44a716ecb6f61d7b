import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { packagesIn } from "../bundle.mjs";
import { nodeBinary } from "../node-binaries.mjs";
import { root } from "../stamps.mjs";
import { maintainer } from "./facts.mjs";

const rule = "-".repeat(78);

/** Of a package that is in one of ours: its terms, in full where it brings them. */
function licenceOf(folder) {
  const full = path.join(root, folder);
  const { name, version, license, author } = JSON.parse(
    readFileSync(path.join(full, "package.json"), "utf8"),
  );
  const file = readdirSync(full).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const by = typeof author === "string" ? author : author?.name;
  const terms = file
    ? readFileSync(path.join(full, file), "utf8").trim()
    : `License: ${license}; by ${by ?? "its authors"}`;
  return `${rule}\n${name} ${version} (${license})\n\n${terms}\n`;
}

/** The terms of the program `source` (src/cli/…), and of everything that its executable contains. */
export async function licencesOf(source) {
  const node = path.join(path.dirname(await nodeBinary("linux-x64")), "..");
  const { version } = JSON.parse(readFileSync(path.join(node, "package.json"), "utf8"));
  const ofNode = path.join(node, "LICENSE");
  if (!existsSync(ofNode))
    throw new Error(`${ofNode} is not there: the licence of Node.js has to be in the packages`);
  const ours = `LimiQuantix Guest Agent
Copyright ${maintainer}. All rights reserved.

This program is not free software: it may be used and handed on as agreed with its owner.
It contains Node.js and npm packages by others, each under its own terms, which follow.
`;
  const packages = await packagesIn(source, "linux");
  return [
    ours,
    ...packages.map(licenceOf),
    `${rule}\nNode.js ${version}\n\n${readFileSync(ofNode, "utf8").trim()}\n`,
  ].join("\n");
}
