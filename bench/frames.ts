import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { encodeFrame } from "../src/wire/envelope.ts";
import { quantile } from "./stats.ts";

export const ping = encodeFrame("plain", { messageId: "0123456789abcdef01234567/1", ping: { sequence: 1 } });

/** Connects to a server that may not be there yet. */
export async function connected(socket: string): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const connection = createConnection(socket);
    try {
      await once(connection, "connect");
      return connection;
    } catch (error) {
      if (tries > 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Waits until nothing has come for 200 ms: the agent's greeting is over. */
export async function settled(connection: Socket): Promise<void> {
  let quiet: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    const again = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(resolve, 200);
    };
    connection.on("data", again);
    again();
  });
  connection.removeAllListeners("data");
}

/** Calls `onFrame` with the length of each whole plain frame that arrives; gives the function that stops it. */
export function watchFrames(connection: Socket, onFrame: (bodyBytes: number) => void): () => void {
  let header = Buffer.alloc(0);
  let bodyBytes = 0;
  let bodyLeft = 0;
  const take = (data: Buffer): void => {
    for (let at = 0; at < data.length;) {
      if (bodyLeft === 0) {
        const wanted = 4 - header.length;
        header = Buffer.concat([header, data.subarray(at, at + wanted)]);
        at += wanted;
        if (header.length < 4) return;
        bodyBytes = bodyLeft = header.readUInt32BE();
        header = Buffer.alloc(0);
      } else {
        const count = Math.min(bodyLeft, data.length - at);
        bodyLeft -= count;
        at += count;
        if (bodyLeft === 0) onFrame(bodyBytes);
      }
    }
  };
  connection.on("data", take);
  return () => connection.off("data", take);
}

/** Milliseconds of each of `count` round trips, one after the other. Frames over 1 KiB are no answers to a ping. */
export async function roundTrips(connection: Socket, count: number): Promise<number[]> {
  const times: number[] = [];
  let answered = (): void => undefined;
  const stop = watchFrames(connection, (bodyBytes) => {
    if (bodyBytes < 1024) answered();
  });
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await new Promise<void>((resolve) => {
      answered = resolve;
      connection.write(ping);
    });
    times.push(performance.now() - started);
  }
  stop();
  return times;
}

export const p99 = (times: readonly number[]): number => quantile(times, 0.99);
