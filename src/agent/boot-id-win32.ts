import { addon } from "../native/addon.ts";

/** Of the running system; "" where Windows does not tell: each start of the agent then counts as one of the guest. */
export function readBootId(): string {
  try {
    return addon.bootId();
  } catch {
    return "";
  }
}
