import { CodedError } from "../../wire/errors.ts";
import { type YamlValue, isYamlMap, parseNetworkDocument } from "./document.ts";

/** Keys of netplan whose values, or all values below them, nobody but the guest is to know. */
const secretKey = /pass|secret|psk|private|shared|key|pin|auth/i;

/** Takes a document's secrets out of what a tool says of it: netplan quotes the line that it does not like. */
export function withoutSecrets(said: string, document: string): string {
  return secretsOf(document)
    .sort((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, "…"), said);
}

function secretsOf(document: string): string[] {
  try {
    return secretsIn(parseNetworkDocument(document).network, false);
  } catch (error) {
    if (error instanceof CodedError) return []; // it never came as far as a tool
    throw error;
  }
}

function secretsIn(value: YamlValue, isSecret: boolean): string[] {
  if (typeof value === "string") return isSecret && value !== "" ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => secretsIn(item, isSecret));
  if (!isYamlMap(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => secretsIn(item, isSecret || secretKey.test(key)));
}
