import assert from "node:assert/strict";
import type { AgentMessage } from "../../src/wire/envelope.ts";
import type { RequestFields } from "../../src/wire/operations.ts";
import type { RawHost } from "./raw-host.ts";
import { until } from "./until.ts";

/** What a host has seen of a live command, by looking at the frames themselves. */
export class LiveHost {
  readonly host: RawHost;
  #counter = 0;

  constructor(host: RawHost) {
    this.host = host;
  }

  async start(request: RequestFields<"execStart">, messageId = `start-${++this.#counter}`) {
    const answer = await this.host.ask({
      messageId,
      execStart: { windowBytes: 1024 * 1024, ...request },
    });
    assert.ok(answer.execStartResponse, answer.error?.message ?? "no answer");
    return {
      ...answer.execStartResponse,
      success: answer.execStartResponse.success ?? false,
      error: answer.execStartResponse.error ?? "",
      execId: answer.execStartResponse.execId ?? "",
    };
  }

  /** Starts a command that must start; gives its id. */
  async run(request: RequestFields<"execStart">): Promise<string> {
    const { error, execId } = await this.start(request);
    assert.equal(error, "");
    return execId;
  }

  messages(execId: string): AgentMessage[] {
    return this.host.received
      .map(({ message }) => message)
      .filter(
        ({ streamData, execExited }) => streamData?.streamId === execId || execExited?.execId === execId,
      );
  }

  output(execId: string, channel = 1): Buffer {
    return Buffer.concat(
      this.messages(execId).flatMap(({ streamData }) =>
        streamData && (streamData.channel ?? 0) === channel ? [streamData.data ?? new Uint8Array()] : [],
      ),
    );
  }

  text(execId: string, channel = 1): string {
    return this.output(execId, channel).toString();
  }

  async printed(execId: string, text: string, channel = 1): Promise<void> {
    await until(`"${text}" of ${execId}`, () => this.text(execId, channel).includes(text));
  }

  async exit(execId: string, deadlineMs = 20_000) {
    const message = await until(
      `the end of ${execId}`,
      () => this.messages(execId).find(({ execExited }) => execExited),
      deadlineMs,
    );
    assert.ok(message.execExited);
    return message.execExited;
  }

  input(execId: string, bytes: string | Buffer, end = false): void {
    this.host.send({
      messageId: "input",
      streamData: { streamId: execId, channel: 0, data: Buffer.from(bytes), end },
    });
  }

  credit(execId: string, bytes: number, channel = 1): void {
    this.host.send({ messageId: "credit", streamCredit: { streamId: execId, channel, bytes } });
  }
}
