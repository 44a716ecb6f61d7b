import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { FileHost } from "../support/file-host.ts";
import { until } from "../support/until.ts";

interface Event {
  watchId: string;
  changes?: { name: string; renamed?: boolean }[];
  overflow?: boolean;
  error?: string;
}

function eventsOf(host: FileHost, watchId: unknown): Event[] {
  return host.host.received
    .map(({ message }) => message.fileChanged as Event | null | undefined)
    .filter((event): event is Event => event?.watchId === watchId);
}

const changesOf = (host: FileHost, watchId: unknown) =>
  eventsOf(host, watchId).flatMap(({ changes }) => changes ?? []);

describe("file_watch", () => {
  it("tells of what is made, changed and removed in a folder, until it is cancelled", async () => {
    await using host = await FileHost.start();
    mkdirSync(host.at("folder"));
    symlinkSync("folder", host.at("link"));
    const { watchId, error } = await host.ask("fileWatch", { path: host.at("link") }, { messageId: "watch" });
    assert.equal(error, "");
    writeFileSync(host.at("folder", "made"), "");
    await until("the new file", () =>
      changesOf(host, watchId).some(({ name, renamed }) => name === "made" && renamed),
    );
    writeFileSync(host.at("folder", "made"), "x", { flag: "a" });
    await until("the change", () =>
      changesOf(host, watchId).some(({ name, renamed }) => name === "made" && !renamed),
    );
    renameSync(host.at("folder", "made"), host.at("folder", "other"));
    await until("the rename", () => changesOf(host, watchId).some(({ name }) => name === "other"));
    await host.do("cancel", { messageId: "watch" });
    const before = eventsOf(host, watchId).length;
    const second = await host.do("fileWatch", { path: host.at("folder") });
    writeFileSync(host.at("folder", "later"), "");
    await until("the second watch", () => eventsOf(host, second["watchId"]).length > 0);
    assert.equal(eventsOf(host, watchId).length, before);
  });

  it("tells of changes to a file, and ends when it is gone", async () => {
    await using host = await FileHost.start();
    const file = host.at("file");
    writeFileSync(file, "");
    const { watchId } = await host.do("fileWatch", { path: file });
    chmodSync(file, 0o600);
    await until("the change", () => changesOf(host, watchId)[0]?.name === "file");
    rmSync(file);
    const last = await until("the end", () => eventsOf(host, watchId).find(({ error }) => error));
    assert.match(last.error ?? "", /^QXGA-4001 /);
    mkdirSync(host.at("folder"));
    const folder = await host.do("fileWatch", { path: host.at("folder") });
    rmSync(host.at("folder"), { recursive: true });
    await until("the end", () => eventsOf(host, folder["watchId"]).find(({ error }) => error));
    await host.fails("fileWatch", { path: host.at("nothing") }, "QXGA-4001");
  });

  it("joins quick changes, and says when there are too many to tell", async () => {
    await using host = await FileHost.start();
    const { watchId } = await host.do("fileWatch", { path: host.folder });
    process.kill(host.daemon.pid, "SIGSTOP"); // so that it meets all of them at once
    for (let i = 0; i < 2_000; i++) writeFileSync(host.at(`file-${i}`), "");
    process.kill(host.daemon.pid, "SIGCONT");
    await until("the overflow", () => eventsOf(host, watchId).some(({ overflow }) => overflow));
    assert.ok(eventsOf(host, watchId).length < 100);
    assert.ok(eventsOf(host, watchId).every(({ changes }) => (changes ?? []).length <= 256));
  });

  it("costs no memory when its host does not read", async () => {
    await using host = await FileHost.start();
    for (let i = 0; i < 64; i++) await host.do("fileWatch", { path: host.folder });
    await host.fails("fileWatch", { path: host.folder }, "QXGA-8001");
    const before = host.daemon.residentKiB();
    host.host.pause();
    const end = performance.now() + 3_000;
    for (let i = 0; performance.now() < end; i++) writeFileSync(host.at(`${i % 300}-${"n".repeat(200)}`), "");
    const grown = host.daemon.residentKiB() - before;
    assert.ok(grown < 48 * 1024, `${grown} KiB more`);
  });

  it("ends with its session, and keeps to what may be read", async () => {
    await using host = await FileHost.start("security: {deny_file_read_paths: [FOLDER/denied]}\n");
    mkdirSync(host.at("denied"));
    await host.fails("fileWatch", { path: host.at("denied") }, "QXGA-4009");
    const watches = (): number => {
      const inotify = /^inotify wd:/gm;
      let count = 0;
      for (let fd = 0; fd < 64; fd++) {
        try {
          count += readFileSync(`/proc/${host.daemon.pid}/fdinfo/${fd}`, "utf8").match(inotify)?.length ?? 0;
        } catch {
          // no such descriptor
        }
      }
      return count;
    };
    const before = watches();
    await host.do("fileWatch", { path: host.folder });
    assert.equal(watches(), before + 1);
    host.host.send({ messageId: "hello", hello: { sessionId: "0123456789abcdef0123" } });
    await until("the watch to end", () => watches() === before);
  });
});
