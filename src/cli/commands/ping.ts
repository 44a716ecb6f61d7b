import { setTimeout as sleep } from "node:timers/promises";
import { InvalidArgumentError } from "commander";
import type { Client, Pong } from "../../host/index.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitCode } from "../exit-codes.ts";
import { type Failure, forPrograms, toFailure } from "../failure.ts";
import { parseSeconds } from "../seconds.ts";
import { printable } from "../ui/printable.ts";
import { duration } from "../ui/units.ts";

interface PingOptions {
  count: number;
  interval: number;
}

type Reply = { number: number } & ({ pong: Pong } | { failure: Failure });

export const ping = defineCommand<PingOptions>({
  usage: "ping",
  summary: "ask the agent for a sign of life",
  description:
    "Prints the round trip of each ping, and of several the shortest, the mean and the longest.\n" +
    "The exit code is 0 when every ping was answered, else that of the last one that was not.",
  examples: [
    ["limiquantix-ctl ping --vm web1", "one ping"],
    ["limiquantix-ctl ping --vm web1 -c 10 -i 200ms", "ten, five a second"],
    ["limiquantix-ctl ping --vm web1 -c 0", "until Ctrl-C"],
  ],
  options(command) {
    command
      .option("-c, --count <number>", "how many pings; 0 for no end", parseCount, 1)
      .option("-i, --interval <seconds>", "from one ping to the next", parseSeconds, 1);
  },
  async run(context, { count, interval }) {
    await using client = await context.connect({ reconnect: count !== 1 });
    const replies: Reply[] = [];
    for (let number = 1; (count === 0 || number <= count) && !context.signal.aborted; number++) {
      const started = performance.now();
      const reply = await pingOnce(context, client, number);
      if (reply === undefined) break;
      replies.push(reply);
      if (!context.json) context.print(replyLine(context, reply));
      if (number !== count)
        await sleepUnlessAborted(interval * 1000 - (performance.now() - started), context.signal);
    }
    if (context.json) context.printJson(report(context, client, replies));
    else if (count !== 1) context.print(summary(context, replies));
    return replies.reduce<number>(
      (code, reply) => ("failure" in reply ? reply.failure.exitCode : code),
      exitCode.ok,
    );
  },
});

/** Undefined when the user gave up. */
async function pingOnce(context: Context, client: Client, number: number): Promise<Reply | undefined> {
  try {
    return { number, pong: await client.ping(context.call) };
  } catch (error) {
    return context.signal.aborted ? undefined : { number, failure: toFailure(error) };
  }
}

function replyLine({ targetName }: Context, reply: Reply): string {
  if ("failure" in reply) return `no reply from ${targetName}: seq=${reply.number} ${reply.failure.message}`;
  const { roundTripMs, version, uptimeSeconds } = reply.pong;
  const agent = `agent ${printable(version)}, up ${duration(uptimeSeconds)}`;
  return `reply from ${targetName}: seq=${reply.number} time=${roundTripMs.toFixed(2)} ms (${agent})`;
}

interface Statistics {
  sent: number;
  answered: number;
  minMs?: number;
  avgMs?: number;
  maxMs?: number;
}

function statistics(replies: readonly Reply[]): Statistics {
  const times = replies.flatMap((reply) => ("pong" in reply ? [reply.pong.roundTripMs] : []));
  const counts = { sent: replies.length, answered: times.length };
  if (times.length === 0) return counts;
  const sum = times.reduce((total, time) => total + time, 0);
  return { ...counts, minMs: Math.min(...times), avgMs: sum / times.length, maxMs: Math.max(...times) };
}

function summary({ targetName }: Context, replies: readonly Reply[]): string {
  const { sent, answered, minMs, avgMs, maxMs } = statistics(replies);
  const lostPercent = sent === 0 ? 0 : Math.round(((sent - answered) / sent) * 100);
  const times = [minMs, avgMs, maxMs].map((time) => time?.toFixed(2)).join("/");
  return (
    `--- ${targetName}: ${sent} sent, ${answered} answered, ${lostPercent}% lost` +
    (answered > 0 ? `\nround trip min/avg/max = ${times} ms` : "")
  );
}

function report({ target }: Context, { socket }: Client, replies: readonly Reply[]): object {
  return {
    ...(target.vm !== undefined && { vm: target.vm }),
    socket,
    replies: replies.map((reply) => {
      if ("pong" in reply) return { number: reply.number, ...reply.pong };
      return { number: reply.number, error: forPrograms(reply.failure) };
    }),
    ...statistics(replies),
  };
}

/** Resolves early when aborted. */
async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, or 0 for no end.");
  return Number(text);
}
