import { UsageError } from "../failure.ts";
import { endsAsFolder } from "./guest-path.ts";
import { type GuestPlace, type Place, placeOf, vmOf } from "./place.ts";

/** The options of `cp`, as commander gives them. */
export interface CopyOptions {
  recursive?: boolean;
  resume?: boolean;
  checksum?: boolean;
  /** False with --no-clobber. */
  clobber?: boolean;
  quiet?: boolean;
}

/** A path of this host; undefined stands for standard input or output. */
export type LocalEnd = string | undefined;

/** What a command line of `cp` asks for. Guest paths are absolute. */
export type CopyPlan = { vm: string | undefined } & (
  | { direction: "upload"; sources: LocalEnd[]; target: string }
  | { direction: "download"; sources: string[]; target: LocalEnd }
  | { direction: "within"; sources: string[]; target: string }
);

/** Throws a UsageError for what makes no sense together. */
export function copyPlanOf(options: CopyOptions & { json?: boolean }, operands: readonly string[]): CopyPlan {
  const places = operands.map(placeOf);
  const target = places.pop();
  if (target === undefined || places.length === 0) throw new UsageError("cp takes a source and a target");
  const vm = vmOf([...places, target].filter(isGuest));
  if (options.recursive) refuse(options, ["resume", "checksum"], "--recursive");
  if (target.side === "guest") {
    const inGuest = places.filter(isGuest).map(({ path }) => path);
    if (inGuest.length === places.length) {
      refuse(options, ["resume", "checksum"], "a copy within the guest");
      return { vm, direction: "within", sources: inGuest, target: target.path };
    }
    if (inGuest.length > 0) throw new UsageError("the sources are on both sides; copy from one at a time");
    const sources = places.filter(isLocal).map(localEnd);
    if (sources.includes(undefined)) {
      refuse(options, ["recursive", "resume", "checksum"], "standard input");
      if (sources.length > 1) throw new UsageError('standard input ("-") is copied alone');
      if (endsAsFolder(target.path)) {
        throw new UsageError(`${target.path}: standard input has no name; give that of the file`);
      }
    }
    return { vm, direction: "upload", sources, target: target.path };
  }
  const sources = places.map((place) => {
    if (isGuest(place)) return place.path;
    throw new UsageError("neither side is in a guest; give one as NAME:/path, or as :/path with --vm NAME");
  });
  if (target.side === "standard-stream") {
    refuse(options, ["recursive", "resume", "checksum"], "standard output");
    if (options.json)
      throw new UsageError('standard output ("-") is for the file; it cannot have --json too');
  }
  return { vm, direction: "download", sources, target: localEnd(target) };
}

function isGuest(place: Place): place is GuestPlace {
  return place.side === "guest";
}

function isLocal(place: Place): place is Exclude<Place, GuestPlace> {
  return place.side !== "guest";
}

function localEnd(place: Exclude<Place, GuestPlace>): LocalEnd {
  return place.side === "local" ? place.path : undefined;
}

function refuse(
  options: CopyOptions,
  names: readonly ("recursive" | "resume" | "checksum")[],
  beside: string,
): void {
  const given = names.find((name) => options[name]);
  if (given !== undefined) throw new UsageError(`${beside} and --${given} do not go together`);
}
