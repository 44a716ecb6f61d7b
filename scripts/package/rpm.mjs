// .rpm packages of the agent and of limiquantix-ctl, by Debian's rpmbuild.
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildExecutables } from "../executable.mjs";
import { run } from "../run.mjs";
import { changesOf, maintainer, packagesFolder, version } from "./facts.mjs";
import { products, stageProduct } from "./products.mjs";
import { rpmScript } from "./scriptlets.mjs";
import { sourceDate } from "./source-date.mjs";

const architectures = { "linux-x64": "x86_64", "linux-arm64": "aarch64" };

/** xz at level 6, which every rpm since 4.14 unpacks. */
const small = "w6.xzdio";

/** For tests. */
export const quick = "w1.gzdio";

const scripts = { agent: ["post", "preun", "postun"], ctl: [] };

/** rpm would list these of every package below them. */
const ofEverybody =
  /^\/(etc|var|var\/lib|usr|usr\/(bin|lib|share)|usr\/lib\/(systemd|udev)(\/[^/]+)?|usr\/share\/(doc|man)(\/man\d)?|usr\/share\/(bash-completion|zsh|fish)(\/[^/]+)?)$/;

function* entriesOf(folder, name = "") {
  for (const entry of readdirSync(path.join(folder, name)).sort()) {
    const below = `${name}/${entry}`;
    const status = lstatSync(path.join(folder, below));
    yield [below, status];
    if (status.isDirectory()) yield* entriesOf(folder, below);
  }
}

function filesSection({ configFiles }, folder) {
  const lines = [];
  for (const [name, status] of entriesOf(folder)) {
    const mode = (status.mode & 0o7777).toString(8).padStart(4, "0");
    if (status.isSymbolicLink()) lines.push(name);
    else if (status.isDirectory()) {
      if (!ofEverybody.test(name)) lines.push(`%dir %attr(${mode}, root, root) ${name}`);
    } else {
      const kind = configFiles.includes(name) ? "%config(noreplace) " : "";
      lines.push(`${kind}%attr(${mode}, root, root) ${name}`);
    }
  }
  return lines.join("\n");
}

function changelog(seconds) {
  const [day, date, month, year] = new Date(seconds * 1000).toUTCString().split(/,? /);
  const entries = changesOf(version).map((entry) => `- ${entry.replaceAll("%", "%%")}`);
  return `* ${day} ${month} ${date} ${year} ${maintainer} - ${version}-1\n${entries.join("\n")}`;
}

function specOf(product, folder, compression, seconds) {
  const { name, summary, description } = products[product];
  const scriptlets = scripts[product].map(
    (script) => `%${script}\n${rpmScript(script).replaceAll("%", "%%")}`,
  );
  return `%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binary_payload ${compression}
%global _buildhost localhost
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global source_date_epoch_from_changelog 0
Name: ${name}
Version: ${version}
Release: 1
Summary: ${summary}
License: LicenseRef-Proprietary
Vendor: ${maintainer}
AutoReqProv: no
Provides: ${name} = %{version}-%{release}
Requires: libc.so.6(GLIBC_2.28)(64bit)
Requires: libstdc++.so.6(GLIBCXX_3.4.21)(64bit)
Requires: libgcc_s.so.1(GCC_3.0)(64bit)

%description
${description.join("\n")}

%install
cp -a "${folder}/." "%{buildroot}"

${scriptlets.join("\n")}
%files
${filesSection(products[product], folder)}

%changelog
${changelog(seconds)}
`;
}

/** Makes the .rpm of a product, "agent" or "ctl", for "linux-x64" or "linux-arm64" in `output` and returns its path. */
export async function rpm(
  platform,
  { product = "agent", output = packagesFolder, compression = small } = {},
) {
  await buildExecutables([...new Set(["linux-x64", platform])]);
  process.umask(0o022); // for the modes of folders
  const scratch = mkdtempSync(path.join(tmpdir(), "rpm-"));
  try {
    const folder = path.join(scratch, "root");
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    await stageProduct(product, platform, folder);
    const seconds = await sourceDate();
    const spec = path.join(scratch, "package.spec");
    writeFileSync(spec, specOf(product, folder, compression, seconds));
    const machine = architectures[platform];
    await run(
      "rpmbuild",
      ["-bb", "--quiet", "--target", machine, "--define", `_topdir ${scratch}/rpm`, spec],
      {
        env: { SOURCE_DATE_EPOCH: String(seconds) },
      },
    );
    const name = `${products[product].name}-${version}-1.${machine}.rpm`;
    mkdirSync(output, { recursive: true });
    const file = path.join(output, name);
    rmSync(file, { force: true });
    cpSync(path.join(scratch, "rpm/RPMS", machine, name), file);
    return file;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
