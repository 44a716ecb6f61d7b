// flow-sender.ts SOCKET: the agent's side of a bulk transfer: sends a GiB in frames of 64 KiB on the bulk lane through
// the agent's own responder and port, and answers pings meanwhile.
import { Responder } from "../src/agent/session/responder.ts";
import { Port } from "../src/agent/transport/port.ts";
import { addon } from "../src/native/addon.ts";
import { decodeEnvelope } from "../src/wire/envelope.ts";
import { FrameDecoder } from "../src/wire/frame-decoder.ts";

const [, , socket = ""] = process.argv;
const frameBytes = 64 * 1024;
const data = Buffer.alloc(frameBytes);
let left = 1024 ** 3 / frameBytes;

const responder = new Responder(
  "plain",
  (buffers) => port.write(buffers),
  () => undefined,
);
const decoder = new FrameDecoder({
  decode: decodeEnvelope,
  onMessage: (message) => {
    responder.send("control", {
      messageId: message.messageId,
      pong: { sequence: message.ping?.sequence ?? 0 },
    });
  },
  onGarbage: () => undefined,
});

function refill(): void {
  while (left > 0 && responder.waitingBytes < 4 * frameBytes) {
    left--;
    responder.send("bulk", { messageId: "bulk", fileReadResponse: { success: true, data } });
  }
  if (left > 0) setImmediate(refill);
}

const port = new Port((onEvents) => new addon.Port({ socket }, onEvents), {
  attached: refill,
  away: () => undefined,
  data: (chunk) => {
    decoder.push(chunk);
  },
  writable: () => {
    responder.writable();
  },
  closed: () => process.exit(0),
});
