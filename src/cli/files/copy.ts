import { HostError } from "../../host/errors.ts";
import { exitCode } from "../exit-codes.ts";
import { forPrograms, toFailure } from "../failure.ts";
import { printable } from "../ui/printable.ts";
import { Progress } from "../ui/progress.ts";
import { copyReport } from "./copy-report.ts";
import type { CopyOptions, CopyPlan, LocalEnd } from "./copy-plan.ts";
import { downloadStep, localTarget } from "./download-steps.ts";
import { type Guest, isOfOneFile, onPath } from "./guest.ts";
import type { Copied, Step } from "./steps.ts";
import { checkTarget, destination, guestTarget } from "./target.ts";
import type { TransferView } from "./transfer-view.ts";
import { uploadStep } from "./upload-steps.ts";

const howToGoOn =
  "what has arrived is kept, in a guest for an hour; the same command line goes on from there";

/** What became of a source. */
export type Outcome = ({ from: string; to: string } & Copied) | { from: string; error: object };

/** Copies what the plan says, and gives the exit code. What is wrong with one source keeps no other from its target. */
export async function copyAll(guest: Guest, plan: CopyPlan, options: CopyOptions): Promise<number> {
  const { context } = guest;
  const begun = performance.now();
  const outcomes: Outcome[] = [];
  const isShown = Progress.isSeen && !context.json && !options.quiet;
  let view: TransferView | undefined;
  let code: number = exitCode.ok;
  const fail = (from: string, error: unknown): void => {
    if (!isOfOneFile(error)) throw error;
    const failure = toFailure(error);
    view?.end();
    context.note(failure.message);
    outcomes.push({ from, error: forPrograms(failure) });
    code = failure.exitCode;
  };

  const steps: Step[] = [];
  const prepare = await preparationOf(guest, plan, options);
  for (const source of plan.sources) {
    try {
      steps.push(await prepare(source));
    } catch (error) {
      fail(source ?? "-", error);
    }
  }
  try {
    if (isShown) view = await viewOf(steps);
    for (const step of steps) {
      const { from, to } = step;
      view?.begin(from);
      try {
        const copied = await step.run((progress) => view?.update(progress));
        view?.finish(copied.bytes);
        outcomes.push({ from, to, ...copied });
        if (copied.skippedCount) code = exitCode.failed;
        view?.end();
        noteLeftOut(context, copied);
      } catch (error) {
        view?.end();
        if (options.resume && !isOfOneFile(error)) context.note(howToGoOn);
        fail(from, error);
      }
    }
  } finally {
    view?.end();
  }
  const report = copyReport(outcomes, performance.now() - begun);
  if (context.json) context.printJson(report.forPrograms);
  else if (isShown && code === exitCode.ok) process.stderr.write(`${report.text}\n`);
  return code;
}

/** What makes a step of a source. Rejects when the target cannot be that of these sources. */
async function preparationOf(
  guest: Guest,
  plan: CopyPlan,
  options: CopyOptions,
): Promise<(source: LocalEnd) => Promise<Step>> {
  if (plan.direction === "download") {
    const target = plan.target === undefined ? undefined : await localTarget(plan.target);
    if (target) checkTarget(target, plan.sources.length);
    return (source = "") => downloadStep(guest, source, target, options);
  }
  const target = await guestTarget(guest, plan.target);
  checkTarget(target, plan.sources.length);
  if (plan.direction === "upload") return (source) => uploadStep(guest, source, target, options);
  const { files, signal } = guest;
  return async (source = "") => {
    const { kind } = await onPath(source, () => files.stat(source, { signal }));
    if (kind === "directory") {
      throw new HostError(
        "local-file",
        `${source} is a folder; within the guest, limiquantix-ctl exec -- cp -a copies it`,
      );
    }
    const to = destination(target, source, "file");
    return {
      ...{ from: source, to, totalBytes: undefined },
      run: async () => ({
        files: 1,
        ...(await files.copy(source, to, { replace: options.clobber ?? true, signal })),
      }),
    };
  };
}

async function viewOf(steps: readonly Step[]): Promise<TransferView> {
  const { TransferView } = await import("./transfer-view.ts");
  let total = 0;
  // Of one that is unknown, the sum is too.
  for (const { totalBytes = NaN } of steps) total += totalBytes;
  return new TransferView(Number.isNaN(total) ? undefined : total);
}

/** So many are told by name. */
const mostNamed = 10;

function noteLeftOut(context: Guest["context"], { skipped = [], skippedCount = 0 }: Copied): void {
  for (const text of skipped.slice(0, mostNamed)) context.note(`left out: ${printable(text)}`);
  const more = skippedCount - Math.min(skipped.length, mostNamed);
  if (more > 0) context.note(`left out: ${more} more`);
}
