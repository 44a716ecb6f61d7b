import type { PowerSystem } from "../../src/agent/power/system.ts";
import { CodedError } from "../../src/wire/errors.ts";

/** A guest's power that only remembers what was asked of it. */
export class FakePower implements PowerSystem {
  /** "poweroff", in order. */
  readonly taken: string[] = [];
  readonly told: string[] = [];
  uptime = 1000;
  /** What the tool says instead of going down. */
  failure: string | undefined;
  missing = false;

  uptimeSeconds(): number {
    return this.uptime;
  }

  wayDown(kind: string): ReturnType<PowerSystem["wayDown"]> {
    if (this.missing) return Promise.reject(new CodedError("shutdown", "this guest has nothing"));
    return Promise.resolve({ program: `fake-${kind}`, args: [] });
  }

  takeDown(kind: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(new CodedError("shutdown", this.failure));
    this.taken.push(kind);
    return Promise.resolve();
  }

  tell(text: string): Promise<void> {
    this.told.push(text);
    return Promise.resolve();
  }
}
