import { type Attributes, setAttributes } from "../files/attributes.ts";
import { absolutePath } from "../files/path.ts";
import { toNumber } from "../../wire/envelope.ts";
import { CodedError } from "../../wire/errors.ts";
import type { Request } from "../../wire/operations.ts";
import type { Handler } from "../session/handler.ts";

export const fileSetAttributes: Handler<"fileSetAttributes"> = async (request, context) => {
  const { files } = context.agent;
  const place = absolutePath(request.path);
  const { mode, owner, group, noFollow } = request;
  const attributes: Attributes = { mode, owner, group, modifiedAt: secondsOf(request.modifiedAt) };
  const doing = `set attributes of ${place}`;
  await files.run(doing, () => setAttributes(place, attributes, !noFollow, files.policy), {
    context,
    audit: { operation: "file_set_attributes", target: place },
  });
  return { success: true };
};

/** As far as a 64-bit time of the kernel's file systems goes without doubt. */
const lastSecond = 2 ** 40;

function secondsOf(time: Request<"fileSetAttributes">["modifiedAt"]): number | undefined {
  if (time === null) return undefined;
  const seconds = toNumber(time.seconds ?? 0);
  const nanos = time.nanos ?? 0;
  if (Math.abs(seconds) < lastSecond && nanos >= 0 && nanos < 1e9) return seconds + nanos / 1e9;
  throw new CodedError("invalidMessage", `there is no time of ${seconds} s and ${nanos} ns`);
}
