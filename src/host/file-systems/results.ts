import type { Message } from "../messages.ts";

type Wire = Message<"quiesceResponse">;
type TimeOfAgent = NonNullable<Wire["autoThawAt"]>;

/** A file system that was to be frozen, or is. `error` says why it is not. */
export type FrozenFileSystem = Wire["frozen"][number];

/** A script of the guest that ran before freezing or after thawing. `error` is empty, or "QXGA-5011 …". */
export type HookResult = Wire["hooks"][number];

/** What freeze() has frozen. */
export interface Freeze {
  /** To be given to thaw(). */
  token: string;
  /** Each file system that was tried. */
  fileSystems: FrozenFileSystem[];
  /** When they thaw by themselves, by the guest's clock. Null: the agent did not say. */
  autoThawAt: Date | null;
  hooks: HookResult[];
}

export interface ThawResult {
  /** What was frozen and is not any more. */
  mountPoints: string[];
  frozenMs: number;
  hooks: HookResult[];
  /** Empty, or "QXGA-5011 …": all is thawed, but a hook failed. */
  warning: string;
}

export interface FreezeStatus {
  isFrozen: boolean;
  fileSystems: FrozenFileSystem[];
  /** By the guest's clock. */
  frozenAt: Date | null;
  autoThawAt: Date | null;
  /** Why the last freeze ended; "" for none since the agent started. */
  lastThaw: "" | "thaw" | "timeout" | "restart";
  /** The last freeze ended before its host thawed it: a snapshot taken meanwhile may not be consistent. */
  lastWasCutShort: boolean;
}

/** A file system that was to be trimmed. `error` is empty, or "QXGA-5010 …". */
export type TrimmedFileSystem = Message<"trimResponse">["trimmed"][number];

export function dateOf(time: TimeOfAgent | null): Date | null {
  return time && new Date(time.seconds * 1000 + time.nanos / 1e6);
}
