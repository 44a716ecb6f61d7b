// limiquantix-guest-agent-VERSION.cdx.json: what everything that is shipped is made of, as CycloneDX has it.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../run.mjs";
import { root } from "../stamps.mjs";
import { packagesFolder, version } from "./facts.mjs";
import { sourceDate } from "./source-date.mjs";

const locked = JSON.parse(readFileSync(path.join(root, "packaging/node/package-lock.json"), "utf8")).packages;

/** Node.js as the executables have it in them: the npm packages that carry it, by their checksums. */
function nodeComponents() {
  return Object.entries(locked)
    .filter(([place]) => place !== "")
    .map(([place, { version: ofNode, integrity }]) => {
      const name = path.basename(place);
      return {
        type: "platform",
        "bom-ref": `${name}@${ofNode}`,
        name,
        version: ofNode,
        description: "Node.js, in the single executables",
        licenses: [{ license: { id: "MIT" } }],
        purl: `pkg:npm/${name}@${ofNode}`,
        hashes: [
          {
            alg: "SHA-512",
            content: Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex"),
          },
        ],
      };
    });
}

function addonComponent(platform) {
  const file = `prebuilds/${platform}/limiquantix.node`;
  const sum = createHash("sha256").update(readFileSync(path.join(root, file)));
  return {
    type: "library",
    "bom-ref": file,
    name: `limiquantix.node (${platform})`,
    version,
    description: "the native addon",
    hashes: [{ alg: "SHA-256", content: sum.digest("hex") }],
  };
}

/** As random as npm's, and the same each time. */
function serialNumber(contents) {
  const hex = createHash("sha256").update(contents).digest("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return `urn:uuid:${[...parts, hex.slice(20, 32)].join("-")}`;
}

/** "name@version" of what only development needs, as the lock file has it: npm's own --omit leaves out more. */
function onlyForDevelopment() {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const refs = (isWanted) =>
    Object.entries(packages)
      .filter(([place, { dev, devOptional }]) => place !== "" && isWanted(Boolean(dev || devOptional)))
      .map(([place, { version: locked }]) => `${place.replace(/^.*node_modules\//, "")}@${locked}`);
  const shipped = new Set(refs((isDev) => !isDev));
  return new Set(refs((isDev) => isDev).filter((ref) => !shipped.has(ref)));
}

/** npm's list of all packages, without those. */
async function npmList() {
  const list = JSON.parse(await run("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]));
  const others = onlyForDevelopment();
  list.components = list.components.filter((component) => !others.has(component["bom-ref"]));
  list.dependencies = list.dependencies
    .filter(({ ref }) => !others.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((name) => !others.has(name)) }));
  return list;
}

/** Makes it, of npm's own list; the addons are built. Returns its path. */
export async function sbom({ output = packagesFolder } = {}) {
  const list = await npmList();
  const more = [
    ...nodeComponents(),
    ...["linux-x64", "linux-arm64", "win32-x64"].map((platform) => addonComponent(platform)),
  ];
  list.components.push(...more);
  list.metadata.component.name = "limiquantix-guest-agent"; // npm takes the folder's
  const own = list.metadata.component["bom-ref"];
  for (const dependency of list.dependencies)
    if (dependency.ref === own) dependency.dependsOn.push(...more.map((component) => component["bom-ref"]));
  list.dependencies.push(...more.map((component) => ({ ref: component["bom-ref"], dependsOn: [] })));
  list.metadata.timestamp = new Date((await sourceDate()) * 1000).toISOString();
  delete list.serialNumber;
  list.serialNumber = serialNumber(JSON.stringify(list));
  mkdirSync(output, { recursive: true });
  const file = path.join(output, `limiquantix-guest-agent-${version}.cdx.json`);
  writeFileSync(file, `${JSON.stringify(list, null, 2)}\n`);
  return file;
}
