import { CodedError } from "../wire/errors.ts";
import type { Agent } from "./agent.ts";
import type { Log } from "./log.ts";
import { Session } from "./session/session.ts";
import type { Port, PortClosed, PortEvents } from "./transport/port.ts";
import type { Transport } from "./transport/transport.ts";
import { Backoff } from "./transport/wait.ts";

/** Where the agent stands with its host. */
type Link =
  | { state: "waiting-for-port" }
  | { state: "host-away"; port: Port; since: number; unsent: readonly Buffer[] }
  | { state: "attached"; port: Port; session: Session };

/** A host that is there this soon after another may have sent its first request before that one was seen to go. */
const quickReconnectMs = 100;

/** Of a Link, for those who want to know. */
export type LinkState = Link["state"];

/** How long the last replies may take to leave when the agent stops. */
const drainMs = 300;

/**
 * Keeps the agent reachable: opens a port, serves each host that attaches, and opens the port anew when it is
 * gone, until `signal` is aborted. `onState` is told of each change.
 */
export async function keepLink(
  agent: Agent,
  transport: Transport,
  log: Log,
  signal: AbortSignal,
  onState: (state: LinkState) => void = () => undefined,
): Promise<void> {
  const trouble = new Backoff();
  while (!signal.aborted) {
    const closed = await servePort(agent, transport, log, signal, onState);
    if (closed === "stopped") return;
    if (closed.reason !== "failed") {
      log.info({ port: transport.description, reason: closed.reason }, "the port is gone; opening it again");
      continue;
    }
    log.error(
      { err: closed.error, port: transport.description, code: "QXGA-1003" },
      "the port failed; opening it again",
    );
    await trouble.pause(signal);
  }
}

/** Opens the port and serves it until it is gone or the agent stops. */
async function servePort(
  agent: Agent,
  transport: Transport,
  log: Log,
  signal: AbortSignal,
  onState: (state: LinkState) => void,
): Promise<PortClosed | "stopped"> {
  let link: Link = { state: "waiting-for-port" };
  onState(link.state);
  let end: (cause: PortClosed | "stopped") => void = () => undefined;
  const ended = new Promise<PortClosed | "stopped">((resolve) => (end = resolve));
  const events: PortEvents = {
    attached() {
      if (link.state !== "host-away") return;
      const session = new Session(agent, link.port, log);
      const unsent = performance.now() - link.since < quickReconnectMs ? link.unsent : [];
      link = { state: "attached", port: link.port, session };
      onState(link.state);
      log.info({ port: transport.description }, "a host attached");
      session.begin(unsent);
    },
    away() {
      if (link.state !== "attached") return;
      const unsent = link.session.end();
      link = { state: "host-away", port: link.port, since: performance.now(), unsent };
      onState(link.state);
      log.info({ port: transport.description }, "the host went away");
    },
    room(mostBytes) {
      return link.state === "attached" ? link.session.room(mostBytes) : undefined;
    },
    data(chunk) {
      return link.state === "attached" && link.session.data(chunk);
    },
    writable() {
      if (link.state === "attached") link.session.writable();
    },
    closed(cause) {
      end(cause);
    },
  };
  const stop = (): void => {
    end("stopped");
  };
  signal.addEventListener("abort", stop, { once: true });
  let port: Port | undefined;
  try {
    port = await transport.open(events, signal);
    link = { state: "host-away", port, since: 0, unsent: [] };
    onState(link.state);
    log.info({ port: transport.description, kind: port.kind }, "the port is open");
    const cause = await ended;
    const last = link as Link; // the events have changed it meanwhile
    if (last.state === "attached") {
      if (cause === "stopped") {
        const until = performance.now() + drainMs;
        await last.session.drained(drainMs);
        await last.port.flushed(until - performance.now());
      }
      last.session.end();
    }
    return cause;
  } catch (error) {
    if (signal.aborted) return "stopped";
    throw error instanceof CodedError ? error : new CodedError("internal", String(error), { cause: error });
  } finally {
    signal.removeEventListener("abort", stop);
    port?.close();
  }
}
