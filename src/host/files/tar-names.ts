import path from "node:path";
import { HostError } from "../errors.ts";

/**
 * The components of an entry's name, none for the folder itself. The guest is not trusted: throws a HostError for a name
 * that would lead out of the folder.
 */
export function componentsOf(name: string): string[] {
  const components = name.split("/").filter((part) => part !== "" && part !== ".");
  const leadsOut = name.startsWith("/") || components.includes("..") || name.includes("\0");
  // There, "a\..\b" and "c:" are paths too.
  const leadsOutOnWindows = path.sep === "\\" && /[\\:]/.test(name);
  if (leadsOut || leadsOutOnWindows) {
    throw new HostError(
      "agent-error",
      `the agent sent an entry ${JSON.stringify(name)}, which leads elsewhere`,
    );
  }
  return components;
}
