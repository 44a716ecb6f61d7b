import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";
import { type AgentMessage, type Envelope, decodeEnvelope, encodeFrame } from "../../src/wire/envelope.ts";
import { limiquantix } from "../../src/wire/gen/agent.js";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";

type Telemetry = NonNullable<Envelope["telemetry"]>;
type Ready = NonNullable<Envelope["agentReady"]>;

export function errorEvent(code: string, message: string): NonNullable<Envelope["error"]> {
  return { severity: limiquantix.agent.v1.ErrorSeverity.ERROR_SEVERITY_ERROR, code, message };
}

/** Runs commands for a FakeAgent, or keeps files. */
export interface FakeGuest {
  /** What the agent announces; "execute", "exec" and "cancel" unless given. */
  readonly features?: string[];
  /** Takes a request or a part of a stream; false when it is none of its own. */
  receive(message: AgentMessage, send: (envelope: Envelope) => void): boolean;
  /** The host of `send` has gone. */
  leave(send: (envelope: Envelope) => void): void;
}

export interface FakeAgentOptions {
  version?: string;
  /** False: an agent of an earlier generation, which does not know what a hello is. */
  sessions?: boolean;
  /** Accepts clients and says nothing, like a guest in which no agent runs. */
  silent?: boolean;
  ready?: Ready;
  /** Sent to each client when it has come. */
  telemetry?: Telemetry;
  /** What runs the commands that this agent is asked to run. Without one it can run none. */
  guest?: FakeGuest;
  /** The answer to a request; undefined for the usual one, "none" for silence. */
  answer?(request: AgentMessage): Envelope | "none" | undefined;
}

/** An agent with a socket, as QEMU would serve it, whose answers a test decides. */
export class FakeAgent {
  readonly #options: FakeAgentOptions;
  readonly #server: Server;
  /** And the session of each. */
  readonly #clients = new Map<Socket, string>();

  private constructor(options: FakeAgentOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
  }

  static async listen(socket: string, options: FakeAgentOptions = {}): Promise<FakeAgent> {
    const agent = new FakeAgent(options);
    agent.#server.listen(socket);
    await once(agent.#server, "listening");
    return agent;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Sends an event to every client. */
  send(event: Omit<Envelope, "messageId">): void {
    this.#sendAll({ ...event, messageId: randomUUID() });
  }

  sendTelemetry(telemetry: Telemetry): void {
    this.#sendAll({ messageId: randomUUID(), telemetry });
  }

  /** What an agent says that was started anew while its clients stayed: of their session it knows nothing. */
  restart(): void {
    this.#sendAll({ messageId: randomUUID(), agentReady: { ...this.#options.ready, sessionId: "" } });
  }

  /** Stops, or goes on, reading what the clients send. */
  pause(paused: boolean): void {
    for (const socket of this.#clients.keys()) {
      if (paused) socket.pause();
      else socket.resume();
    }
  }

  /** Ends every connection, as QEMU does when the VM stops. */
  dropClients(): void {
    for (const socket of this.#clients.keys()) socket.destroy();
  }

  /** Idempotent; the socket's file goes too. */
  async close(): Promise<void> {
    this.dropClients();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.#clients.set(socket, "");
    const reply = (envelope: Envelope): void => {
      if (this.#clients.has(socket))
        send(socket, { ...envelope, messageId: envelope.messageId || randomUUID() });
    };
    socket.on("close", () => {
      this.#clients.delete(socket);
      this.#options.guest?.leave(reply);
    });
    socket.on("error", () => undefined);
    const decoder = new FrameDecoder<AgentMessage>({
      decode: decodeEnvelope,
      onMessage: (message) => {
        if (this.#options.silent) return;
        if (this.#options.guest?.receive(message, reply)) return;
        this.#receive(socket, message);
      },
      onGarbage: () => undefined,
    });
    socket.on("data", (chunk: Buffer) => {
      decoder.push(chunk);
    });
    if (!this.#options.silent) this.#greet(socket, "");
  }

  get #features(): string[] {
    const { guest } = this.#options;
    return guest ? (guest.features ?? ["execute", "exec", "cancel"]) : [];
  }

  #greet(socket: Socket, sessionId: string): void {
    const { version = "9.9.9", ready, telemetry } = this.#options;
    send(socket, { messageId: randomUUID(), agentReady: { version, hostname: "fake", ...ready, sessionId } });
    if (telemetry) send(socket, { messageId: randomUUID(), telemetry });
  }

  #receive(socket: Socket, request: AgentMessage): void {
    const { version = "9.9.9", sessions = true } = this.#options;
    const { messageId } = request;
    const answer = this.#options.answer?.(request);
    if (answer === "none") return;
    if (answer !== undefined) {
      send(socket, { messageId, ...answer });
    } else if (request.hello && sessions) {
      const sessionId = request.hello.sessionId ?? "";
      send(socket, {
        messageId,
        helloResponse: { success: true, sessionId, agentVersion: version, features: this.#features },
      });
      // A client that asks again for the session it has is not greeted anew.
      if (this.#clients.get(socket) !== sessionId) this.#greet(socket, sessionId);
      this.#clients.set(socket, sessionId);
    } else if (request.ping) {
      send(socket, {
        messageId,
        pong: { sequence: request.ping.sequence ?? 0, version, uptimeSeconds: 3723 },
      });
    } else if (request.getCapabilities) {
      send(socket, {
        messageId,
        getCapabilitiesResponse: {
          version,
          os: "Fake Linux 1",
          architecture: "x86_64",
          capabilities: ["ping", "telemetry", ...this.#features],
          features: { virtual: "true" },
        },
      });
    } else {
      send(socket, {
        messageId,
        error: errorEvent("QXGA-2002", "QXGA-2002 unknown message type"),
      });
    }
  }

  #sendAll(envelope: Envelope): void {
    for (const socket of this.#clients.keys()) send(socket, envelope);
  }
}

/** What is sent in one turn leaves in one write, as it does from the real agent. */
function send(socket: Socket, envelope: Envelope): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => {
      socket.uncork();
    });
  }
  socket.write(encodeFrame("plain", envelope));
}

/** A ping of a user, not the first one, which belongs to the client's negotiation. */
export function isUsersPing({ ping, messageId }: { ping?: unknown; messageId: string }): boolean {
  return ping !== undefined && ping !== null && !messageId.endsWith("/first-ping");
}
