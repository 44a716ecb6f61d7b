import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SerialPort } from "serialport";
import { SerialRawPort } from "../../src/agent/transport/serial-port.ts";
import { SerialTransport } from "../../src/agent/transport/serial.ts";
import { addon } from "../../src/native/addon.ts";
import type { RawPort } from "../../src/native/port.ts";
import { portContract } from "../support/port-contract.ts";
import { PortProbe } from "../support/port-probe.ts";
import { until } from "../support/until.ts";

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

function openLine(path: string): Promise<SerialPort> {
  const line = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  return new Promise((resolve, reject) => {
    line.open((error) => {
      if (error) reject(error);
      else resolve(line);
    });
  });
}

portContract("serial line", async () => {
  const { fd, path } = addon.openPty();
  const host: RawPort = new addon.Port({ fd }, silent);
  const line = await openLine(path);
  const guest = new PortProbe((onEvents) => new SerialRawPort(line, onEvents));
  const buffer = Buffer.alloc(64 * 1024);
  let isClosed = false;
  return {
    guest,
    host: {
      send(bytes) {
        let at = 0;
        const more = (): void => {
          if (isClosed) return;
          at += host.write([bytes.subarray(at)]);
          if (at < bytes.length) setImmediate(more);
        };
        more();
      },
      receive: () =>
        isClosed ? Buffer.alloc(0) : Buffer.from(buffer.subarray(0, Math.max(0, host.read(buffer)))),
      close() {
        isClosed = true;
        host.close();
      },
    },
    onHostClose: "closed",
    close() {
      guest.port.close();
      host.close();
    },
  };
});

describe("serial transport", () => {
  it("waits for a line that is not there", async () => {
    const warnings: unknown[] = [];
    const transport = new SerialTransport("/dev/nowhere", {
      ...log,
      warn: (fields: unknown) => warnings.push(fields),
    });
    const stop = new AbortController();
    const opening = transport.open(
      { attached: silent, away: silent, data: () => false, writable: silent, closed: silent },
      stop.signal,
    );
    await until("the warning", () => warnings.length > 0);
    stop.abort(new Error("enough"));
    await assert.rejects(opening);
    assert.equal(warnings.length, 1);
  });

  it("refuses what is no line", () => {
    for (const place of ["", "ttyS0", "/etc/passwd", "/dev/ttyS0,0", "COM3"])
      assert.throws(() => new SerialTransport(place, log), /names no serial line/, place);
  });
});
