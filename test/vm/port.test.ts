import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HostError, connect } from "../../src/host/index.ts";
import { encodeFrame } from "../../src/wire/envelope.ts";
import { RawHost } from "../support/raw-host.ts";
import { until } from "../support/until.ts";
import type { Machine } from "../support/vm/machine.ts";
import { savedGuest } from "../support/vm/saved.ts";

/** How long the agent may take to be there in an emulated guest. */
const startDeadlineMs = 60_000;

let guest: Awaited<ReturnType<typeof savedGuest>>;
before(async () => {
  guest = await savedGuest();
});

/** A guest with the agent running; `config` is YAML. */
async function guestWithAgent(config = ""): Promise<Machine> {
  const machine = await guest.restore();
  await machine.expect(`mkdir -p /etc/limiquantix; printf '%s' '${config}' >/etc/limiquantix/agent.yaml`);
  await machine.startAgent();
  return machine;
}

async function ping(host: RawHost, deadlineMs = 30_000): Promise<void> {
  const answer = await host.ask({ ping: { sequence: 7 } }, "plain", deadlineMs);
  assert.equal(Number(answer.pong?.sequence), 7);
}

describe("agent on a real virtio port", () => {
  it("greets a host that was there before it, and one that comes later", async () => {
    await using machine = await guest.restore();
    const early = await RawHost.connect(machine.agentSocket);
    await machine.startAgent();
    await early.until("agentReady", startDeadlineMs);
    await early.until("telemetry", startDeadlineMs);
    assert.equal(early.received[0]?.message.agentReady?.hostname, "guest");
    early.close();
    // A host that is back within a millisecond is the same one to the kernel; see the test with a hundred of them.
    await until("the agent to see it go", async () =>
      (await machine.agentLog()).includes("the host went away"),
    );
    const late = await RawHost.connect(machine.agentSocket);
    await late.until("agentReady");
    await ping(late);
    late.close();
  });

  it("finds the port by its name in /sys where there are no links", async () => {
    await using machine = await guest.restore();
    await machine.expect("rm -r /dev/virtio-ports");
    const host = await RawHost.connect(machine.agentSocket);
    await machine.startAgent();
    await host.until("agentReady", startDeadlineMs);
    host.close();
  });

  it("answers both framings, each in its own", async () => {
    await using machine = await guestWithAgent();
    const host = await RawHost.connect(machine.agentSocket);
    await host.until("agentReady", startDeadlineMs);
    for (const framing of ["magic", "plain", "magic"] as const) {
      const answer = await host.ask({ ping: { sequence: 1 } }, framing);
      assert.equal(host.received.find(({ message }) => message === answer)?.framing, framing);
    }
    host.close();
  });

  it("answers a host that connects and sends at once, 100 times", async () => {
    await using machine = await guestWithAgent();
    const first = await RawHost.connect(machine.agentSocket);
    await first.until("agentReady", startDeadlineMs);
    first.close();
    for (let i = 0; i < 100; i++) {
      const host = await RawHost.connect(machine.agentSocket);
      await ping(host);
      host.close();
    }
  });

  it("survives a host that is killed in the middle of a frame and is back at once, 100 times", async () => {
    await using machine = await guestWithAgent("frame_timeout_secs: 1\n");
    let host = await RawHost.connect(machine.agentSocket);
    await host.until("agentReady", startDeadlineMs);
    const large = encodeFrame("plain", {
      messageId: "never whole",
      fileWrite: { path: "/x", data: Buffer.alloc(60_000, 0x0a) },
    });
    const question = encodeFrame("magic", { messageId: "never read", ping: { sequence: 9 } });
    const wrong: string[] = [];
    for (let i = 0; i < 100; i++) {
      // The agent is in the middle of a thousand answers, and of taking a frame that is cut somewhere.
      host.pause();
      host.write(
        Buffer.concat([...Array.from({ length: 1000 }, () => question), large.subarray(0, 5 + i * 590)]),
      );
      await sleep(i % 4);
      host.close();
      host = await RawHost.connect(machine.agentSocket);
      for (let n = 0; n < 3; n++) {
        const answer = await host.ask(
          { messageId: `host ${i}, ping ${n}`, ping: { sequence: i * 10 + n } },
          "plain",
          30_000,
        );
        if (Number(answer.pong?.sequence) !== i * 10 + n) wrong.push(answer.messageId);
      }
      const answers = host.received.filter(({ message }) => message.messageId.startsWith(`host ${i},`));
      if (answers.length !== 3) wrong.push(`${answers.length} answers to host ${i}`);
    }
    assert.deepEqual(wrong, []);
    host.close();
  });

  it("waits for a host that connects and reads nothing for a minute, and loses no answer", async () => {
    await using machine = await guestWithAgent();
    const host = await RawHost.connect(machine.agentSocket);
    await host.until("agentReady", startDeadlineMs);
    host.pause();
    const requests = 60_000;
    for (let i = 0; i < requests; i += 100) {
      const batch = Array.from({ length: 100 }, (_, n) =>
        encodeFrame("plain", { messageId: `${"stalled".repeat(16)} ${i + n}`, ping: { sequence: i + n } }),
      );
      host.write(Buffer.concat(batch));
    }
    await sleep(60_000);
    const rss = Number(await machine.expect("awk '/VmRSS/ {print $2}' /proc/$(pidof node)/status"));
    assert.ok(rss < 150 * 1024, `${rss} KiB while the host stalls`);
    host.resume();
    await until(
      "all answers",
      () => host.received.filter(({ message }) => message.pong).length >= requests,
      60_000,
    );
    const sequences = host.received.flatMap(({ message }) =>
      message.pong ? [Number(message.pong.sequence)] : [],
    );
    assert.deepEqual(
      sequences,
      Array.from({ length: requests }, (_, i) => i),
    );
    assert.equal(host.skippedBytes, 0);
    host.close();
  });

  it("is there again for its client when it is restarted under it", async () => {
    await using machine = await guestWithAgent();
    await using client = await connect({
      socket: machine.agentSocket,
      timeoutSeconds: startDeadlineMs / 1000,
    });
    assert.equal(client.mode, "session");
    for (const signal of ["TERM", "KILL"]) {
      await client.ping();
      await machine.expect(`kill -${signal} $(pidof node); while pidof node; do sleep 0.05; done`);
      const lost = client.ping({ timeoutSeconds: 60 }).then(
        () => "answered",
        (error: unknown) => (error as HostError).code,
      );
      await machine.startAgent();
      assert.ok(["answered", "agent-restarted"].includes(await lost), await lost);
      await client.ping({ timeoutSeconds: 60 });
      assert.equal(client.mode, "session");
    }
  });

  it("waits for a port that is unplugged, and serves it when it is back", async () => {
    await using machine = await guestWithAgent();
    const host = await RawHost.connect(machine.agentSocket);
    await host.until("agentReady", startDeadlineMs);
    for (let i = 0; i < 3; i++) {
      await machine.unplugPort();
      await until(
        "the agent to notice",
        async () => (await machine.agentLog()).split('"unplugged"').length === i + 2,
      );
      assert.doesNotMatch(await machine.expect("ls /dev/virtio-ports"), /limiquantix/);
      const greetings = host.received.filter(({ message }) => message.agentReady).length;
      await machine.plugPort();
      await until(
        "the next greeting",
        () => host.received.filter(({ message }) => message.agentReady).length > greetings,
        20_000,
      );
      await ping(host);
    }
    host.close();
  });

  it("retries while another process holds the port", async () => {
    await using machine = await guest.restore();
    await machine.expect("sh -c 'exec 3<>/dev/vport0p1; sleep 4' >/dev/null 2>&1 & sleep 0.2");
    const host = await RawHost.connect(machine.agentSocket);
    await machine.startAgent();
    await until("the warning", async () => (await machine.agentLog()).includes("QXGA-1006"), startDeadlineMs);
    await host.until("agentReady", startDeadlineMs);
    host.close();
  });

  it("sleeps while no host is there", async () => {
    await using machine = await guestWithAgent();
    const host = await RawHost.connect(machine.agentSocket);
    await host.until("telemetry", startDeadlineMs);
    host.close();
    const bare = await machine.startNode(["-e", "setInterval(() => {}, 1e6)"], "/dev/null");
    const agent = Number(
      (await machine.expect("pidof node"))
        .trim()
        .split(" ")
        .find((pid) => Number(pid) !== bare),
    );
    const count = async (pid: number): Promise<number> =>
      Number(
        await machine.expect(
          `cat /proc/${pid}/task/*/status | awk '/^voluntary_ctxt/ {n += $2} END {print n}'`,
        ),
      );
    const ticks = async (pid: number): Promise<number> =>
      Number(await machine.expect(`awk '{print $14 + $15}' /proc/${pid}/stat`));
    // V8 compiles and collects in bursts of its own now and then; something that polls shows in every window.
    const quietest = { agent: Infinity, bare: Infinity, ticks: Infinity };
    for (let window = 0; window < 5; window++) {
      const [agentBefore, bareBefore, ticksBefore] = [
        await count(agent),
        await count(bare),
        await ticks(agent),
      ];
      await sleep(6_000);
      quietest.agent = Math.min(quietest.agent, (await count(agent)) - agentBefore);
      quietest.bare = Math.min(quietest.bare, (await count(bare)) - bareBefore);
      quietest.ticks = Math.min(quietest.ticks, (await ticks(agent)) - ticksBefore);
    }
    assert.ok(
      quietest.agent <= quietest.bare + 2,
      `${quietest.agent} wake-ups in 6 s, bare Node ${quietest.bare}`,
    );
    assert.ok(quietest.ticks <= 1, `${quietest.ticks} ticks of CPU in 6 s without a host`);
  });

  it("reports a new address at once, and what free and df say", async () => {
    await using machine = await guestWithAgent("telemetry_interval_secs: 3600\n");
    await machine.expect("mount /dev/vdb /scratch; ip link set eth0 up");
    const host = await RawHost.connect(machine.agentSocket);
    const first = (await host.until("telemetry", startDeadlineMs)).telemetry;
    const total = Number(await machine.expect("awk '/MemTotal/ {print $2 * 1024}' /proc/meminfo"));
    assert.equal(Number(first?.memoryTotalBytes), total);
    const scratch = first?.disks?.find(({ mountPoint }) => mountPoint === "/scratch");
    const [, blocks] = (await machine.expect("df -k /scratch | tail -n 1")).trim().split(/\s+/);
    assert.equal(Number(scratch?.totalBytes), Number(blocks) * 1024);
    await machine.expect("ip addr add 192.0.2.77/24 dev eth0");
    await until(
      "a report with the address",
      () =>
        host.received.some(({ message }) =>
          message.telemetry?.interfaces?.some(({ ipv4Addresses }) =>
            ipv4Addresses?.includes("192.0.2.77/24"),
          ),
        ),
      5_000,
    );
    host.close();
  });
});
