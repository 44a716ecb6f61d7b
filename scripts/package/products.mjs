// What there are packages of: the agent for guests, and the command-line tool for hosts.
import { chmodSync, cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { root } from "../stamps.mjs";
import { stageCompletions } from "./completions.mjs";
import { stageDocuments } from "./documents.mjs";
import { configFiles, folders, stage } from "./layout.mjs";

function stageCtl(platform, folder) {
  const file = path.join(folder, "usr/bin/limiquantix-ctl");
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  cpSync(path.join(root, "dist/executable", platform, "limiquantix-ctl"), file);
  chmodSync(file, 0o755);
  stageCompletions(folder);
}

const all = {
  agent: {
    name: "limiquantix-guest-agent",
    program: "limiquantix-agent",
    section: 8,
    summary: "guest agent for virtual machines over a virtio-serial port",
    description: [
      "The program inside a virtual machine that gives the hypervisor a hand in it,",
      "over a virtio-serial port and without a network: telemetry, commands, files,",
      "users, network, snapshots, shutdown and the clock. It starts when the port is",
      "there and sleeps while no host is.",
    ],
    entry: "src/cli/agent.ts",
    configFiles,
    folders,
    stage,
  },
  ctl: {
    name: "limiquantix-ctl",
    program: "limiquantix-ctl",
    section: 1,
    summary: "command-line tool for the guest agent in virtual machines",
    description: [
      "Talks to the LimiQuantix guest agent in the virtual machines of this host:",
      "commands and shells in them, files, users, network, snapshots, shutdown, the",
      "clock and telemetry.",
    ],
    entry: "src/cli/ctl.ts",
    configFiles: [],
    folders: [],
    stage: stageCtl,
  },
};

/** Puts all files of "agent" or "ctl" for "linux-x64" or "linux-arm64" under the empty `folder`, with documents. */
export async function stageProduct(product, platform, folder) {
  all[product].stage(platform, folder);
  await stageDocuments(all[product], folder);
}

export const products = all;
