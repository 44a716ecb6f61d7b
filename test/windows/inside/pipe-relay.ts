// Run by node.exe: pipe-relay.cjs PORT PIPE: each connection to that TCP port of 127.0.0.1 is one to the named pipe.
import { connect, createServer } from "node:net";

const [, , port = "", pipe = ""] = process.argv;
createServer((client) => {
  const target = connect(pipe);
  client.pipe(target).pipe(client);
  for (const [one, other] of [
    [client, target],
    [target, client],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}).listen(Number(port), "127.0.0.1");
