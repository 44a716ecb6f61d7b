import { CodedError } from "../../wire/errors.ts";
import { ToolMissing, type Tools } from "../tools/tools.ts";

/** How long `--help` may take. */
const helpSeconds = 10;

/** chpasswd(8) as this guest has it. */
export interface Chpasswd {
  /** Its arguments for a password, and for one that is a hash already. */
  argsFor(secret: { hashed: boolean }): readonly string[];
}

/** Throws CodedError password where there is none. */
export async function findChpasswd(tools: Pick<Tools, "run">): Promise<Chpasswd> {
  try {
    const { stdout, stderr } = await tools.run("chpasswd", ["--help"], { timeoutSeconds: helpSeconds });
    const isBusybox = /busybox/i.test(stdout + stderr);
    return {
      argsFor: ({ hashed }) => {
        if (hashed) return ["-e"];
        // Left to itself it may take DES, for which a password ends behind eight characters.
        return isBusybox ? ["-c", "sha512"] : [];
      },
    };
  } catch (cause) {
    if (!(cause instanceof ToolMissing)) throw cause;
    throw new CodedError(
      "password",
      `${cause.message}, which sets passwords; it comes with the package passwd, shadow or shadow-utils`,
      { cause },
    );
  }
}

/** Whether there is chage(1), which says when a password expires; busybox has none. */
export async function hasChage(tools: Pick<Tools, "run">): Promise<boolean> {
  try {
    await tools.run("chage", ["--help"], { timeoutSeconds: helpSeconds });
    return true;
  } catch (error) {
    if (error instanceof ToolMissing) return false;
    throw error;
  }
}
