import { cached } from "./cache.ts";
import { agentFiles, buildImages, identityOf } from "./image.ts";
import { Machine } from "./machine.ts";

/**
 * Gives guests that answer within a second: one is booted, Node.js and the agent are brought into its memory, and
 * its state is saved; each further one is restored from that. `moreFiles` are put into it: guest path → file here.
 */
export async function savedGuest(
  moreFiles: Record<string, string> = {},
): Promise<{ restore(): Promise<Machine> }> {
  const images = await buildImages({ ...agentFiles, ...moreFiles });
  const state = await cached("state", identityOf(images), async (output) => {
    const machine = await Machine.boot(images);
    try {
      const pid = await machine.startAgent(["--log-level", "error"]);
      // As far as it goes without a host; then it is in the page cache.
      await machine.run(
        `for i in $(seq 200); do [ -e /proc/${pid}/fd/15 ] && break; sleep 0.1; done; sleep 1; kill ${pid}; while [ -e /proc/${pid} ]; do sleep 0.1; done; rm -f /run/agent.log`,
        {
          timeoutSeconds: 60,
        },
      );
      await machine.save(output);
    } finally {
      await machine.stop();
    }
  });
  return { restore: () => Machine.restore(images, state) };
}
