import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../stamps.mjs";

const text = (name) => readFileSync(path.join(root, "packaging", name), "utf8");

/** One of the scripts that dpkg runs: what others have as well is put in the place of a line #SHARED#. */
export const debScript = (name) => text(`deb/${name}`).replace("#SHARED#\n", () => text("linux/restart.sh"));

/** One of those that rpm runs. */
export const rpmScript = (name) =>
  `unit=limiquantix-agent.service\n${text("linux/restart.sh")}\n${text(`rpm/${name}`)}`;
