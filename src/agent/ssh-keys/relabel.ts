import { access } from "node:fs/promises";
import type { Log } from "../log.ts";
import { type Tools, failureText } from "../tools/tools.ts";

/** There while SELinux is in force. */
const selinux = "/sys/fs/selinux/enforce";

const timeoutSeconds = 10;

/**
 * Gives ~/.ssh and what is in it the label that sshd may read, where there are labels. The keys are in their place anyway,
 * so what goes wrong is only logged.
 */
export async function relabel(
  folder: string,
  { tools, log }: { tools: Pick<Tools, "run">; log: Pick<Log, "warn"> },
): Promise<void> {
  try {
    await access(selinux);
  } catch {
    return;
  }
  const problem = await tools
    .run("restorecon", [folder, `${folder}/authorized_keys`], { timeoutSeconds })
    .then(
      (result) => (result.exitCode === 0 ? undefined : failureText("restorecon", result)),
      (error: unknown) => String(error),
    );
  if (problem !== undefined) log.warn({ folder }, `SELinux may keep sshd from the SSH keys: ${problem}`);
}
