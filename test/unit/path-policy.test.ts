// Random trees with links, and random paths into them, against a model that resolves them name by name.
import assert from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { openForReading, openForWriting } from "../../src/agent/files/open-file.ts";
import { absolutePath } from "../../src/agent/files/path.ts";
import { PathPolicy } from "../../src/agent/policy/path-policy.ts";
import { CodedError } from "../../src/wire/errors.ts";

type Node =
  | { kind: "folder"; entries: Map<string, Node> }
  | { kind: "file"; text: string }
  | { kind: "link"; target: string };
type Folder = Extract<Node, { kind: "folder" }>;

/** What a path leads to: names below the root of the tree, or why it leads nowhere. */
type Found = { at: string[]; node: Node } | "nothing" | "no folder" | "loop";

/** By brute force. Above the root of the tree there is nothing that the model knows: "nothing". */
function resolve(root: Folder, names: readonly string[]): Found {
  let left = [...names];
  let at: string[] = [];
  let links = 0;
  let node: Node = root;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (node.kind !== "folder") return "no folder";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (at.length === 0) return "nothing";
      at = at.slice(0, -1);
      node = walk(root, at);
      continue;
    }
    const next: Node | undefined = node.entries.get(name);
    if (next === undefined) return "nothing";
    if (next.kind === "link") {
      if (++links > 40) return "loop";
      const isAbsolute = next.target.startsWith("/");
      if (isAbsolute) {
        at = [];
        node = root;
      }
      left = [...next.target.split("/"), ...left];
    } else {
      at = [...at, name];
      node = next;
    }
  }
  return { at, node };
}

function walk(root: Folder, names: readonly string[]): Node {
  return names.reduce<Node>((node, name) => (node as Folder).entries.get(name) as Node, root);
}

const name = fc.constantFrom("a", "b", "é", "日本", "a b", "no", "not", "ok", "okay");
const step = fc.oneof({ arbitrary: name, weight: 4 }, fc.constantFrom("..", ".", ""));
const target = fc.tuple(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 4 }));
const addition = fc.record({
  folder: fc.nat(),
  name,
  kind: fc.constantFrom("folder", "folder", "file", "link", "link"),
  target,
});
const asked = fc.array(fc.oneof({ arbitrary: name, weight: 6 }, fc.constantFrom("..", ".", "")), {
  minLength: 1,
  maxLength: 5,
});

/** Makes the tree, here and there. Below "no" nothing may be read; below "ok", and nowhere else, files may be written. */
function build(
  place: string,
  additions: readonly { folder: number; name: string; kind: string; target: [boolean, string[]] }[],
): Folder {
  const root: Folder = { kind: "folder", entries: new Map() };
  const folders: { node: Folder; at: string }[] = [{ node: root, at: place }];
  const add = (parent: { node: Folder; at: string }, entry: string, node: Node): void => {
    const at = path.join(parent.at, entry);
    parent.node.entries.set(entry, node);
    if (node.kind === "folder") {
      mkdirSync(at);
      folders.push({ node, at });
    } else if (node.kind === "file") writeFileSync(at, node.text);
    else symlinkSync(node.target.startsWith("/") ? place + node.target : node.target, at);
  };
  for (const entry of ["no", "ok"])
    add(folders[0] as { node: Folder; at: string }, entry, { kind: "folder", entries: new Map() });
  for (const {
    folder,
    name: entry,
    kind,
    target: [isAbsolute, steps],
  } of additions) {
    const parent = folders[folder % folders.length] as { node: Folder; at: string };
    if (parent.node.entries.has(entry)) continue;
    const text = (isAbsolute ? "/" : "") + steps.join("/");
    if (kind === "folder") add(parent, entry, { kind: "folder", entries: new Map() });
    else if (kind === "file" || text === "") add(parent, entry, { kind: "file", text: parent.at + entry });
    else add(parent, entry, { kind: "link", target: text });
  }
  return root;
}

/** Every file outside of "ok", and what is in it. */
function outside(place: string): string[] {
  const all = readdirSync(place, { recursive: true, withFileTypes: true });
  return all
    .map((entry) => ({ entry, at: path.join(entry.parentPath, entry.name) }))
    .filter(({ at }) => !at.startsWith(path.join(place, "ok") + path.sep))
    .map(({ entry, at }) => `${at} ${entry.isFile() ? readFileSync(at, "utf8") : "-"}`)
    .sort();
}

async function codeOf(work: Promise<{ fd: number }>): Promise<string> {
  try {
    const { fd } = await work;
    closeSync(fd);
    return "fine";
  } catch (error) {
    return error instanceof CodedError
      ? error.code
      : ((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

const runs = { numRuns: 400 };

describe("paths against the policy", () => {
  it("reads what a path leads to if that is not denied, and takes no path with ..", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(addition, { maxLength: 25 }), asked, async (additions, names) => {
        const place = realpathSync(mkdtempSync(path.join(tmpdir(), "policy-")));
        try {
          const root = build(place, additions);
          const policy = new PathPolicy({ ...everything, deny_file_read_paths: [path.join(place, "no")] });
          const text = `${place}/${names.join("/")}`;
          if (names.includes("..")) {
            assert.throws(() => absolutePath(text), { code: "pathTraversal" });
            return;
          }
          // absolutePath() leaves these out: a file's path with a slash at its end is still the file's.
          const found = resolve(
            root,
            names.filter((part) => part !== "." && part !== ""),
          );
          const work = openForReading(absolutePath(text), policy);
          if (typeof found === "string") {
            const codes = {
              nothing: ["ENOENT", "ENOTDIR", "EACCES", "notAFile"],
              "no folder": ["ENOTDIR", "ENOENT"],
              loop: ["ELOOP"],
            };
            // A link may lead out of the tree, where the model knows nothing; there is no file of ours there.
            assert.ok(codes[found].includes(await codeOf(work)), `${text}: ${await codeOf(work)}, ${found}`);
          } else if (found.node.kind !== "file") {
            assert.equal(await codeOf(work), "notAFile");
          } else if (found.at[0] === "no") {
            assert.equal(await codeOf(work), "readBlocked");
          } else {
            const file = await work;
            const bytes = Buffer.alloc(4096);
            const count = readSync(file.fd, bytes);
            closeSync(file.fd);
            assert.equal(bytes.toString("utf8", 0, count), found.node.text);
            assert.equal(file.place, path.join(place, ...found.at));
          }
        } finally {
          rmSync(place, { recursive: true });
        }
      }),
      runs,
    );
  });

  it("writes what is allowed, and changes nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(addition, { maxLength: 25 }),
        asked,
        fc.boolean(),
        async (additions, names, createParents) => {
          const place = realpathSync(mkdtempSync(path.join(tmpdir(), "policy-")));
          try {
            const root = build(place, additions);
            const policy = new PathPolicy({
              ...everything,
              allow_file_write_paths: [path.join(place, "ok")],
            });
            const before = outside(place);
            const straight = names.filter((part) => part !== "..");
            const code = await codeOf(
              openForWriting(absolutePath(`${place}/${straight.join("/")}`), policy, {
                createParents,
                createMode: 0o600,
              }),
            );
            assert.deepEqual(outside(place), before);
            const found = resolve(root, straight);
            if (typeof found !== "string" && found.node.kind === "file") {
              assert.equal(code, found.at[0] === "ok" ? "fine" : "writeBlocked");
            }
          } finally {
            rmSync(place, { recursive: true });
          }
        },
      ),
      runs,
    );
  });
});

const everything = {
  allow_file_write_paths: [],
  deny_file_read_paths: [],
  max_file_ops_per_second: 0,
};
