// flow-sender.ts SOCKET: the agent's side of a bulk transfer: sends a GiB in frames of 64 KiB, as bulk data, through
// the agent's own responder and port, and answers pings meanwhile.
import { type FrameSource, Responder } from "../src/agent/session/responder.ts";
import { Port } from "../src/agent/transport/port.ts";
import { addon } from "../src/native/addon.ts";
import { decodeEnvelope, encodeFrame } from "../src/wire/envelope.ts";
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

const source: FrameSource = {
  nextFrame: (framing) =>
    left-- > 0
      ? encodeFrame(framing, { messageId: "bulk", fileReadResponse: { success: true, data } })
      : undefined,
};

const port = new Port((onEvents) => new addon.Port({ socket }, onEvents), {
  attached: () => {
    responder.ready(source);
  },
  away: () => undefined,
  data: (chunk) => decoder.push(chunk),
  writable: () => {
    responder.writable();
  },
  closed: () => process.exit(0),
});
