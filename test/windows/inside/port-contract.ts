// Run by node.exe: port-contract.cjs PORT DEVICE. The host's end of the device is behind a TCP port of 127.0.0.1.
import { once } from "node:events";
import { type Socket, connect, createServer } from "node:net";
import { addon } from "../../../src/native/addon.ts";
import { portContract } from "../../support/port-contract.ts";
import { PortProbe } from "../../support/port-probe.ts";
import { socketHostEnd } from "../../support/windows/host-socket.ts";
import { until } from "../../support/until.ts";

const [, , port = "", device = ""] = process.argv;

portContract("device", async () => {
  const socket = connect(Number(port), "127.0.0.1");
  const [mark] = (await once(socket, "data")) as [Buffer];
  if (mark.toString() !== "!") throw new Error(`unexpected: ${mark.toString()}`);
  const guest = new PortProbe((onEvents) => new addon.Port({ device }, onEvents));
  const host = socketHostEnd(socket);
  const close = (): void => {
    guest.port.close();
    socket.destroy();
  };
  return { guest, host, onHostClose: "closed", close };
});

let pipes = 0;
const newPipe = (): string => `\\\\.\\pipe\\contract-${process.pid}-${++pipes}`;

portContract("named pipe, as a client", async () => {
  const path = newPipe();
  const server = createServer().listen(path);
  await once(server, "listening");
  const guest = new PortProbe((onEvents) => new addon.Port({ socket: path }, onEvents));
  const [socket] = (await once(server, "connection")) as [Socket];
  const close = (): void => {
    guest.port.close();
    socket.destroy();
    server.close();
  };
  return { guest, host: socketHostEnd(socket), onHostClose: "closed", close };
});

portContract("named pipe, as the server", async () => {
  const path = newPipe();
  const listener = new addon.Listener(path, () => undefined);
  const socket = connect(path);
  await once(socket, "connect");
  const fd = await until("the client", () => {
    const accepted = listener.accept();
    return accepted >= 0 && accepted;
  });
  const guest = new PortProbe((onEvents) => new addon.Port({ fd, kind: "socket" }, onEvents));
  const close = (): void => {
    guest.port.close();
    socket.destroy();
    listener.close();
  };
  return { guest, host: socketHostEnd(socket), onHostClose: "closed", close };
});
