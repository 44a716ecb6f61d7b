// Streams of a RawProcess: descriptors on Linux, numbers of the addon's own on Windows.
import { closeSync, writeSync } from "node:fs";
import { addon } from "./addon.ts";
import { type RawPort, portEvent } from "./port.ts";

const isWindows = process.platform === "win32";

/** Takes over a stream. Throws an error of Node's shape. */
export function openStream(stream: number, onEvents: (mask: number) => void): RawPort {
  return isWindows ? addon.openStream(stream, onEvents) : new addon.Port({ fd: stream }, onEvents);
}

/** Of a stream that was not opened. */
export function closeStream(stream: number): void {
  if (isWindows) addon.closeStream(stream);
  else closeSync(stream);
}

/** Writes `input`, at most the 65,536 bytes that a pipe takes without a reader, to a stream that was not opened, and closes it. */
export function giveToStream(stream: number, input: Uint8Array): void {
  try {
    if (input.length === 0) closeStream(stream);
    else if (isWindows) giveInTurns(stream, input);
    else giveAtOnce(stream, input);
  } catch (error) {
    // Who was to read it has ended already; its exit code says more.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

function giveAtOnce(fd: number, input: Uint8Array): void {
  try {
    writeSync(fd, input);
  } finally {
    closeSync(fd);
  }
}

/** Windows does not promise that a pipe takes what it has room for at once. */
function giveInTurns(stream: number, input: Uint8Array): void {
  let left = input;
  const port = addon.openStream(stream, (mask) => {
    if ((mask & portEvent.error) !== 0) port.close();
    else push();
  });
  const push = (): void => {
    try {
      left = left.subarray(port.write([left]));
      if (left.length === 0) port.close();
    } catch {
      port.close(); // EPIPE: as above
    }
  };
  push();
}
