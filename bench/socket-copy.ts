// socket-copy.ts SOCKET send|receive FILE: the other side of a bare Node copy: serves one connection after the other, and
// sends the file on each, or writes what comes to the file and says "k" when that is on disk.
import { createReadStream, createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { pipeline } from "node:stream/promises";

const [, , socket = "", direction = "", file = ""] = process.argv;

createServer({ allowHalfOpen: true }, (connection) => {
  const work =
    direction === "send"
      ? pipeline(createReadStream(file), connection)
      : pipeline(connection, createWriteStream(file, { flush: true }), { end: true }).then(() => {
          connection.end("k");
        });
  work.catch(() => undefined); // the bench sees a connection that ends early
}).listen(socket);
