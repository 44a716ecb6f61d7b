import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import type { Machine } from "../test/support/vm/machine.ts";

/** qemu-ga in a guest, as its host has it: a JSON object a line. */
export class QemuGuestAgent {
  readonly #connection: Socket;
  #pieces: string[] = [];

  private constructor(connection: Socket) {
    this.#connection = connection;
    connection.setEncoding("latin1"); // base64 and JSON without other letters
    connection.on("data", (text: string) => this.#pieces.push(text));
  }

  static async start(machine: Machine): Promise<QemuGuestAgent> {
    const { exitCode } = await machine.run("test -x /node/bin/qemu-ga");
    if (exitCode !== 0) {
      throw new Error("the guest has no qemu-ga to compare with; run: sudo apt-get install qemu-guest-agent");
    }
    await machine.expect(
      "mkdir -p /var/run; LD_LIBRARY_PATH=/node/lib setsid /node/bin/qemu-ga -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 >/run/qga.log 2>&1 & echo",
    );
    const connection = createConnection(machine.otherSocket);
    await once(connection, "connect");
    const agent = new QemuGuestAgent(connection);
    await agent.ask("guest-sync", { id: 1 });
    return agent;
  }

  async ask(command: string, parameters: object): Promise<unknown> {
    this.#pieces = [];
    this.#connection.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    while (!this.#pieces.at(-1)?.includes("\n")) await once(this.#connection, "data");
    const answer = JSON.parse(this.#pieces.join("")) as { return?: unknown; error?: unknown };
    if (answer.error) throw new Error(`${command}: ${JSON.stringify(answer.error)}`);
    return answer.return;
  }

  async write(file: string, bytes: Buffer, chunkBytes: number): Promise<void> {
    const handle = await this.ask("guest-file-open", { path: file, mode: "w" });
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      await this.ask("guest-file-write", {
        handle,
        "buf-b64": bytes.subarray(at, at + chunkBytes).toString("base64"),
      });
    }
    await this.ask("guest-file-close", { handle });
  }

  async read(file: string, chunkBytes: number): Promise<Buffer> {
    const handle = await this.ask("guest-file-open", { path: file, mode: "r" });
    const pieces: Buffer[] = [];
    for (let eof = false; !eof;) {
      const answer = (await this.ask("guest-file-read", { handle, count: chunkBytes })) as {
        "buf-b64": string;
        eof: boolean;
      };
      pieces.push(Buffer.from(answer["buf-b64"], "base64"));
      eof = answer.eof;
    }
    await this.ask("guest-file-close", { handle });
    return Buffer.concat(pieces);
  }

  close(): void {
    this.#connection.destroy();
  }
}
