import { type RequestName, operationName, responseOf } from "../../wire/operations.ts";
import { matches } from "../matches.ts";
import { effects } from "./effects.ts";

/** Whether a name as in the .proto, in which `*` stands for any characters, means this operation. */
export function matchesOperation(pattern: string, name: RequestName): boolean {
  return matches(pattern, operationName(name));
}

/** What is wrong with a pattern in a list of operations; undefined when nothing is. */
export function problemOfPattern(pattern: string): string | undefined {
  const meant = (Object.keys(responseOf) as RequestName[]).filter((name) => matchesOperation(pattern, name));
  if (meant.length === 0) return `${pattern} is not an operation of this agent`;
  if (meant.every((name) => effects[name] === "talk")) return `${pattern} cannot be switched off`;
  return undefined;
}
