import { Problem, run } from "../run.mjs";

/** When what is packaged was made, in seconds since 1970: SOURCE_DATE_EPOCH, or the time of the last commit. */
export async function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given === undefined) return Number(await run("git", ["log", "-1", "--format=%ct"]));
  if (!/^\d{1,11}$/.test(given))
    throw new Problem(`SOURCE_DATE_EPOCH is "${given}"; it has to be seconds since 1970`);
  return Number(given);
}
