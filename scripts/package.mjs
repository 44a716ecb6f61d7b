// npm run package: what is shipped, into dist/packages. `npm run package -- deb tar` makes only those named.
import { statSync } from "node:fs";
import path from "node:path";
import { Problem, main } from "./run.mjs";
import { setup } from "./setup.mjs";
import { root } from "./stamps.mjs";

/** Each gives the files that it has made. */
const makers = {
  deb: async () => {
    const { deb } = await import("./package/deb.mjs");
    return [await deb("linux-x64"), await deb("linux-arm64")];
  },
};

await main(async () => {
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !Object.hasOwn(makers, name));
  if (unknown.length > 0)
    throw new Problem(`nothing is called ${unknown.join(", ")}; there are ${Object.keys(makers).join(", ")}`);
  await setup();
  for (const name of named.length > 0 ? named : Object.keys(makers)) {
    for (const file of await makers[name]())
      process.stdout.write(`${path.relative(root, file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB\n`);
  }
});
