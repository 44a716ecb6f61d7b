import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Node.js has no datagrams of UNIX sockets; python3 is there, as node-gyp needs it. */
const listener = `
import socket, sys, json
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\\0" + name[1:] if name[0] == "@" else name)
print('"bound"', flush=True)
while True: print(json.dumps(s.recv(65536).decode()), flush=True)
`;

/** What a service manager is, for who tells it how it is doing: a socket, and what comes. */
export class NotifySocket {
  readonly messages: string[] = [];
  /** `performance.now()` of each. */
  readonly times: number[] = [];
  readonly #listener;

  private constructor(readonly name: string) {
    this.#listener = spawn("python3", ["-c", listener, name], { stdio: ["pipe", "pipe", "inherit"] });
  }

  /** A path, or "@" and an abstract name. */
  static async bind(name: string): Promise<NotifySocket> {
    const socket = new NotifySocket(name);
    const lines = createInterface({ input: socket.#listener.stdout });
    const [bound] = (await once(lines, "line", { signal: AbortSignal.timeout(10_000) })) as [string];
    if (bound !== '"bound"') throw new Error(`${name} could not be bound: ${bound}`);
    lines.on("line", (line) => {
      socket.messages.push(JSON.parse(line) as string);
      socket.times.push(performance.now());
    });
    return socket;
  }

  get pid(): number {
    return this.#listener.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#listener, "exit");
    this.#listener.kill("SIGKILL");
    await ended;
  }
}
