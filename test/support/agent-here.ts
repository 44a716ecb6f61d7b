import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "valibot";
import { Agent } from "../../src/agent/agent.ts";
import { Audit, type AuditRecord, type WorkAuditRecord } from "../../src/agent/audit/audit.ts";
import { configSchema } from "../../src/agent/config/schema.ts";
import { keepLink } from "../../src/agent/link.ts";
import type { Log } from "../../src/agent/log.ts";
import { Telemetry } from "../../src/agent/telemetry/telemetry.ts";
import { transportFor } from "../../src/agent/transport/index.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakePower } from "./fake-power.ts";
import { quietSampler } from "./quiet-sampler.ts";

const silent = (): void => undefined;
const log: Log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

/** The agent in this process, at a socket, for what must not be done to this machine: its power and clock are fakes. */
export class AgentHere {
  readonly power = new FakePower();
  readonly clock = new FakeClock();
  readonly audited: (AuditRecord | WorkAuditRecord)[] = [];
  readonly #folder = mkdtempSync(path.join(tmpdir(), "agent-"));
  readonly #security: object;
  #stop: (() => Promise<void>) | undefined;

  constructor(security: object = {}) {
    this.#security = security;
    this.start();
  }

  get socket(): string {
    return path.join(this.#folder, "agent.sock");
  }

  start(): void {
    const config = parse(configSchema, {
      state_dir: path.join(this.#folder, "state"),
      security: this.#security,
    });
    const telemetry = new Telemetry(
      () => quietSampler(),
      { intervalSeconds: 3600, excludeInterfaces: [] },
      log,
    );
    const audit = new Audit({
      info: (fields: { audit: AuditRecord }) => void this.audited.push(fields.audit),
    });
    const agent = new Agent(config, telemetry, audit, log, { power: this.power, clock: this.clock });
    const transport = transportFor(`unix-listen:${this.socket}`, log);
    const end = new AbortController();
    agent.begin();
    const running = keepLink(agent, transport, log, end.signal);
    this.#stop = async () => {
      end.abort();
      await running;
      transport.close();
      telemetry.close();
      await agent.close();
    };
  }

  async restart(): Promise<void> {
    await this.#stop?.();
    this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop?.();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
