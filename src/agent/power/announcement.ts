import type { ShutdownKind } from "./kind.ts";

/** More of a message is cut off: what counts is the shutdown. In characters. */
export const longestMessage = 1024;

/** What a terminal might obey instead of showing; wall of busybox passes all of it on. Line breaks and tabs stay. */
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A host's message as it is kept and shown. */
export function cleanMessage(message: string): string {
  const text = message
    .slice(0, 4 * longestMessage)
    .replace(unprintable, " ")
    .trim();
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1)}…`;
}

const verbs = { poweroff: "powers off", reboot: "restarts", halt: "halts" } as const;

/** "This system restarts in 5 minutes, as its host asks." and the host's message. */
export function announcement(kind: ShutdownKind, leftSeconds: number, message: string): string {
  const text = `This system ${verbs[kind]} ${inTime(leftSeconds)}, as its host asks.`;
  return `${text}\n${message === "" ? "" : `${message}\n`}`;
}

export function calledOff(kind: ShutdownKind): string {
  return `The ${kind} of this system was called off.\n`;
}

function inTime(seconds: number): string {
  if (seconds < 1) return "now";
  const [count, unit] = seconds < 90 ? [Math.round(seconds), "second"] : [Math.round(seconds / 60), "minute"];
  return `in ${count} ${unit}${count === 1 ? "" : "s"}`;
}
