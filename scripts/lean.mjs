// What keeps the agent small: of what its libraries load when they are loaded, the agent does not use all. The figures are of
// anonymous memory in Node.js 22, by a program that only loads the module.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** By who asks for it: what it gets instead. */
const replaced = [
  // pino's transports are threads. The agent writes its log itself.
  {
    module: /^thread-stream$/,
    from: /pino/,
    instead: `module.exports = class { constructor() { throw new Error("the agent has no log transports"); } };`,
  },
  // 0.4 MiB
  { module: /^worker_threads$/, from: /pino/, instead: `module.exports = { isMainThread: true };` },
  // 0.7 MiB. It checks what options it is given.
  {
    module: /^(node:)?assert$/,
    from: /sonic-boom/,
    instead: `module.exports = (ok, message) => { if (!ok) throw new Error(message); };`,
  },
];

export const standIns = {
  name: "stand-ins",
  setup({ onResolve, onLoad }) {
    for (const [index, { module, from }] of replaced.entries()) {
      onResolve({ filter: module }, ({ importer }) =>
        from.test(importer) ? { path: String(index), namespace: "stand-in", sideEffects: false } : undefined,
      );
    }
    onLoad({ filter: /.*/, namespace: "stand-in" }, ({ path: index }) => ({
      contents: replaced[Number(index)].instead,
      loader: "js",
    }));
  },
};

/** Modules of Node.js that are loaded when the first of their functions is called: 0.7 MiB and 2 ms, 0.3 MiB and 1 ms. */
const late = ["node:crypto", "node:fs/promises"];

export const lateModules = {
  name: "late-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${late.join("|")})$`) }, ({ path, namespace }) =>
      namespace === "late" ? { path, external: true } : { path, namespace: "late", sideEffects: false },
    );
    onLoad({ filter: /.*/, namespace: "late" }, ({ path }) => {
      const functions = Object.entries(require(path)).filter(
        ([name, value]) => typeof value === "function" && /^[a-z]/.test(name),
      );
      return {
        contents: [
          `let loaded;\nconst load = () => (loaded ??= require(${JSON.stringify(path)}));`,
          ...functions.map(
            ([name]) => `export function ${name}(...args) { return load().${name}(...args); }`,
          ),
        ].join("\n"),
        loader: "js",
      };
    });
  },
};
