// Run by node.exe: bare-copy.cjs DEVICE down|up FILE BYTES: what a program can do at best that has the addon's port and
// Node's files, and no frames. down: sends the file when a byte has come. up: writes what comes, and answers with a byte.
import { open } from "node:fs/promises";
import { Port } from "../../src/agent/transport/port.ts";
import { addon } from "../../src/native/addon.ts";

const [, , device = "", direction = "", file = "", size = ""] = process.argv;
const pieceBytes = 64 * 1024;
const mostWaiting = 16;

const chunks: Buffer[] = [];
let wake: () => void = () => undefined;
const port = new Port((onEvents) => new addon.Port({ device }, onEvents), {
  attached: () => undefined,
  away: () => undefined,
  writable: () => {
    wake();
  },
  data: (chunk) => {
    chunks.push(chunk);
    if (chunks.length >= mostWaiting) port.pause();
    wake();
    return true;
  },
  closed: () => process.exit(1),
});

const woken = (): Promise<void> => new Promise((resolve) => (wake = resolve));

async function next(): Promise<Buffer> {
  for (;;) {
    const chunk = chunks.shift();
    if (chunk) {
      if (chunks.length < mostWaiting / 2) port.resume();
      return chunk;
    }
    await woken();
  }
}

async function send(bytes: Buffer): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    const taken = port.write([bytes.subarray(sent)]);
    sent += taken;
    if (sent < bytes.length) await woken();
  }
}

async function down(): Promise<void> {
  await next();
  const handle = await open(file, "r");
  const piece = Buffer.alloc(pieceBytes);
  for (let left = Number(size); left > 0;) {
    const { bytesRead } = await handle.read(piece, 0, pieceBytes);
    await send(piece.subarray(0, bytesRead));
    left -= bytesRead;
  }
  await handle.close();
}

async function up(): Promise<void> {
  const handle = await open(file, "w");
  for (let left = Number(size); left > 0;) {
    const chunk = await next();
    await handle.writeFile(chunk);
    left -= chunk.length;
  }
  await handle.sync();
  await handle.close();
  await send(Buffer.from("!"));
}

process.stdout.write("ready\n");
void (direction === "down" ? down() : up())
  .then(() => port.flushed(60_000))
  .then(() => next()) // the host has all of it
  .then(() => process.exit(0));
