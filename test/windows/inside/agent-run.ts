// Run by node.exe: agent-run.cjs CONTROL AGENT ARGUMENTS...: the agent, and what a console would do to it, asked for by one
// line each over a TCP port of 127.0.0.1: "stop" is Ctrl+C, "cpu" is answered with the microseconds of CPU time so far.
import { createRequire } from "node:module";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const [node = "", , control = "", agent = "", ...args] = process.argv;
const socket = connect(Number(control), "127.0.0.1");
socket.unref();
createInterface(socket).on("line", (line) => {
  if (line === "stop") process.emit("SIGINT");
  const { user, system } = process.cpuUsage();
  if (line === "cpu") socket.write(`${user + system}\n`);
});
process.argv = [node, agent, ...args];
createRequire(agent)(agent);
