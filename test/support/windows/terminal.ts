import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";
import { once } from "node:events";
import { addon } from "../../../src/native/addon.ts";
import type { RawPort } from "../../../src/native/port.ts";
import type { Wine } from "./wine.ts";

/** Bytes for the guest that wait here; of more no more is taken. */
const mostWaiting = 1024 * 1024;

/** A terminal that is a device of Windows: this is the host's end. */
export class WindowsTerminal {
  readonly #host: RawPort;
  /** Open as long as this is: so it is raw, and outlives the agent. */
  readonly #line: RawPort;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #waiting: Buffer[] = [];
  #socket: Socket | undefined;

  /** It is `\\.\Global\NAME` from now on. */
  constructor(wine: Wine, name: string) {
    const { fd, path } = addon.openPty();
    this.#line = new addon.Port({ device: path }, () => undefined);
    this.#host = new addon.Port({ fd }, () => {
      this.#read();
      this.#write();
    });
    wine.linkDevice(name, path);
  }

  /** Passes on what goes and comes, until another socket is joined. What comes with none is dropped. */
  join(socket: Socket): void {
    this.#socket = socket;
    this.#waiting = [];
    socket.on("data", (data: Buffer) => {
      if (this.#socket !== socket) return;
      this.#waiting.push(data);
      this.#write();
    });
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    socket.on("drain", () => {
      this.#read();
    });
  }

  /** Writes to the guest past any socket. */
  send(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#write();
  }

  close(): void {
    this.#host.close();
    this.#line.close();
  }

  #read(): void {
    for (;;) {
      if (this.#socket?.writableNeedDrain) return;
      const count = this.#readOnce();
      if (count <= 0) return;
      this.#socket?.write(Buffer.from(this.#buffer.subarray(0, count)));
    }
  }

  #readOnce(): number {
    try {
      return this.#host.read(this.#buffer);
    } catch {
      return -1; // nobody has the other end open
    }
  }

  #write(): void {
    while (this.#waiting.length > 0) {
      const bytes = this.#waiting[0] as Buffer;
      const taken = this.#host.write([bytes]);
      if (taken < bytes.length) {
        this.#waiting[0] = bytes.subarray(taken);
        break;
      }
      this.#waiting.shift();
    }
    const left = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (left > mostWaiting) this.#socket?.pause();
    else this.#socket?.resume();
  }
}

/** A UNIX socket, as QEMU has it for a port, whose other end is a device of Windows: for the host's client. */
export async function serveTerminal(terminal: WindowsTerminal, socket: string): Promise<Server> {
  const server = createServer((client) => {
    terminal.join(client);
  }).listen(socket);
  await once(server, "listening");
  return server;
}

/**
 * For a program in Wine that wants to be both ends: each TCP connection is the host's end of a new device `\\.\Global\NAME`,
 * which is there when the first byte comes. Gives the server, and its port.
 */
export async function serveTerminals(wine: Wine, name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((client) => {
    const terminal = new WindowsTerminal(wine, name);
    client.write("!");
    terminal.join(client);
    client.on("close", () => {
      terminal.close();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}
