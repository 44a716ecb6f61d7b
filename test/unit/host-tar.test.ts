import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Header, extract, pack } from "tar-stream";
import { HostError } from "../../src/host/index.ts";
import { TarHeaders } from "../../src/host/files/tar-header.ts";
import { type TarEntry, TarReader } from "../../src/host/files/tar-reader.ts";
import { allOf } from "../support/all-of.ts";

type Entry = Partial<Header> & Pick<Header, "name"> & { contents?: string };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const stream = pack();
  for (const { contents, ...header } of entries) stream.entry(header, contents ?? "");
  stream.finalize();
  return Buffer.concat(await allOf(stream as AsyncIterable<Buffer>));
}

/** All that a reader gives of these pieces, whole contents or parts of them in turns. */
function read(pieces: Iterable<Buffer>): [Omit<TarEntry, "modifiedAt">, string, number][] {
  const reader = new TarReader("/t");
  const found: [Omit<TarEntry, "modifiedAt">, string, number][] = [];
  let open: { entry: TarEntry; parts: Buffer[]; left: number } | undefined;
  const go = (): void => {
    for (;;) {
      if (open === undefined) {
        const entry = reader.next();
        if (entry === undefined) return;
        open = { entry, parts: [], left: entry.sizeBytes };
      }
      const isWhole = found.length % 2 === 0 || open.left === 0;
      const part = isWhole ? reader.whole() : reader.some();
      if (part === undefined) return;
      open.parts.push(part);
      open.left -= part.length;
      if (open.left > 0) continue;
      const { modifiedAt, ...entry } = open.entry;
      found.push([entry, Buffer.concat(open.parts).toString(), modifiedAt]);
      open = undefined;
    }
  };
  for (const piece of pieces) {
    reader.push(piece);
    go();
  }
  reader.end();
  return found;
}

const mtime = new Date(1_600_000_000_000);
const long = `${"d".repeat(90)}/${"ü".repeat(100)}`;
const entries: Entry[] = [
  { name: ".", type: "directory", mode: 0o755, mtime },
  { name: "empty", mode: 0o600, mtime },
  { name: "small", mode: 0o644, mtime, contents: "x".repeat(1000) },
  { name: "block", mode: 0o644, mtime, contents: "y".repeat(1024) },
  { name: long, mode: 0o644, mtime, contents: "z".repeat(3000), pax: { mtime: "1600000000.250999999" } },
  { name: `${"a".repeat(99)}/b`, mode: 0o644, mtime, contents: "prefix" },
  { name: "l", type: "symlink", linkname: long, mode: 0o777, mtime },
  { name: "h", type: "link", linkname: "small", mode: 0o644, mtime },
];

describe("TarReader", () => {
  it("reads what tar-stream has written, however it is cut", async () => {
    const tar = await tarOf(entries);
    const expected = entries.map(({ name, type = "file", linkname = "", mode, contents = "", pax }) => [
      { type, name, linkTo: linkname, sizeBytes: contents.length, mode },
      contents,
      mtime.getTime() / 1000 + (pax ? 0.250999 : 0),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }), (sizes) => {
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < tar.length; i++) {
          const bytes = sizes[i % sizes.length] ?? 1;
          pieces.push(tar.subarray(at, at + bytes));
          at += bytes;
        }
        assert.deepEqual(read(pieces), expected);
      }),
      { numRuns: 50 },
    );
  });

  it("takes nothing else for a tar stream, and nothing that ends early", async () => {
    const tar = await tarOf(entries);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), (bytes) => {
        try {
          read([Buffer.from(bytes)]);
          assert.ok(bytes.subarray(0, 512).every((byte) => byte === 0));
        } catch (error) {
          assert.ok(error instanceof HostError && error.code === "agent-error", String(error));
        }
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: tar.length - 1025 }), (bytes) => {
        try {
          const found = read([tar.subarray(0, bytes)]);
          assert.equal(bytes % 512, 0); // between two entries, or between a header and no contents
          assert.ok(found.length < entries.length);
        } catch (error) {
          assert.ok(error instanceof HostError && error.code === "agent-error", String(error));
        }
      }),
    );
  });

  it("keeps no extended header of any size", async () => {
    const huge = await tarOf([{ name: "x", pax: { comment: "y".repeat(2_000_000) } }]);
    assert.throws(() => read([huge.subarray(0, 512)]), /extended header has/);
    const bad = await tarOf([{ name: "x", pax: { comment: "y" } }]);
    bad.write("99 ", 512, "latin1");
    assert.throws(() => read([bad]), /extended header is malformed/);
    const wrong = await tarOf([{ name: "x", pax: { size: "1e400" } }]);
    assert.throws(() => read([wrong]), /a size that is none/);
  });
});

describe("TarHeaders", () => {
  it("are read by tar-stream, and by TarReader", async () => {
    const stats = { mode: 0o100_644n, uid: 1000n, gid: 3_000_000_000n, mtimeNs: 1_600_000_000_123_456_789n };
    const old = { mode: 0o42_777n, uid: 0n, gid: 0n, mtimeNs: -5n };
    const headers = new TarHeaders();
    const names = ["a", "schön ✓", "x".repeat(100), "x".repeat(101), `${"y".repeat(2_000)}/ü`, "with\nline"];
    const parts = names.map((name) => {
      const contents = Buffer.alloc(512, "c");
      return Buffer.concat([headers.of("file", name, stats, { sizeBytes: 512 }), contents]);
    });
    parts.push(Buffer.from(headers.of("directory", "d", old)));
    parts.push(Buffer.from(headers.of("symlink", "l", old, { linkTo: "ü".repeat(60) })));
    const tar = Buffer.concat([...parts, Buffer.alloc(1024)]);
    const parser = extract();
    parser.end(tar);
    const seen: unknown[] = [];
    for await (const entry of parser as AsyncIterable<unknown> as AsyncIterable<
      { header: Header } & AsyncIterable<Buffer>
    >) {
      const { name, type, mode, uid, gid, linkname } = entry.header;
      const { length } = Buffer.concat(await allOf(entry));
      const told = (entry.header.pax as Partial<Record<string, string>> | null)?.["gid"];
      seen.push([name, type, mode, uid, Number(told ?? gid), linkname, length]);
    }
    assert.deepEqual(seen, [
      ...names.map((name) => [name, "file", 0o644, 1000, 3_000_000_000, null, 512]),
      ["d", "directory", 0o2777, 0, 0, null, 0],
      ["l", "symlink", 0o2777, 0, 0, "ü".repeat(60), 0],
    ]);
    const found = read([tar]);
    assert.deepEqual(
      found.map(([{ name }]) => name),
      [...names, "d", "l"],
    );
    assert.deepEqual([found[0]?.[2], found.at(-1)?.[2]], [1_600_000_000.123456, 0]);
  });

  it("have room for any size", () => {
    const stats = { mode: 0o644n, uid: 0n, gid: 0n, mtimeNs: 0n };
    const reader = new TarReader("/t");
    reader.push(Buffer.from(new TarHeaders().of("file", "a", stats, { sizeBytes: 2 ** 40 })));
    assert.equal(reader.next()?.sizeBytes, 2 ** 40);
  });
});
