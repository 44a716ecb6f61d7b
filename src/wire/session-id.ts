import { randomBytes } from "node:crypto";

/** Fresh and unguessable: what lets both sides tell this session's messages from an earlier one's. */
export function newSessionId(): string {
  return randomBytes(18).toString("base64url");
}

export function isSessionId(text: string): boolean {
  return /^[A-Za-z0-9_-]{16,64}$/.test(text);
}

/** In a session every message_id of the host is the session's id, a slash and a part of its own. */
export function messageIdOf(sessionId: string, part: string | number): string {
  return `${sessionId}/${part}`;
}

export function belongsTo(sessionId: string, messageId: string): boolean {
  return messageId.startsWith(`${sessionId}/`);
}
