import type { Socket } from "node:net";
import type { HostEnd } from "../port-contract.ts";

/** The host's end of a channel that is a socket. */
export function socketHostEnd(socket: Socket): HostEnd {
  let received: Buffer[] = [];
  socket.on("data", (data: Buffer) => received.push(data));
  socket.on("error", () => undefined); // the other end has gone
  return {
    send: (bytes) => void socket.write(bytes),
    receive: () => {
      const all = Buffer.concat(received);
      received = [];
      return all;
    },
    close: () => void socket.end(),
  };
}
