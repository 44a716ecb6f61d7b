import { cached, hashOf } from "./cache.ts";
import { shell } from "./shell.ts";

export interface DebianTree {
  /** Its codename. */
  release: string;
  /** As dpkg has it. */
  architecture: string;
  packages: readonly string[];
  /** Whether its packages are configured, which takes a processor that runs them, or only unpacked. */
  configured: boolean;
  /** Run by mmdebstrap's customize hook, with the tree's root folder as $1. `inputs` are the files that it depends on. */
  customize?: { script: string; environment: Record<string, string>; inputs: string[] };
}

/** A tree of Debian's packages, from where this machine's apt has them: a tar archive, without what /dev is to have. */
export function debianTree(
  kind: string,
  { release, architecture, packages, configured, customize }: DebianTree,
): Promise<string> {
  const recipe = [import.meta.filename, ...(customize?.inputs ?? [])].map((file) => ({ file }));
  const hash = hashOf(...recipe, release, architecture, ...packages, String(configured));
  return cached(kind, hash, async (output) => {
    await shell(
      `
      work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
      chmod 755 "$work" # mmdebstrap is another user without root
      apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        sed -n 's/^\\([^ ]*\\) [a-z]* main$/\\1/p' | sort -u >"$work/archives"
      [ -s "$work/archives" ] || { echo "apt has no archive of Debian here"; exit 1; }
      while read -r archive; do echo "deb $archive $RELEASE main"; done <"$work/archives" >"$work/sources"
      mkdir "$work/keys"
      for file in /etc/apt/trusted.gpg.d/* /usr/share/keyrings/debian-archive-keyring.*; do
        [ ! -f "$file" ] || install -m 644 "$file" "$work/keys/"
      done
      if [ "$CONFIGURED" = true ]; then variant=essential; else variant=extract; fi
      mmdebstrap --quiet --keyring="$work/keys" --variant="$variant" --architectures="$ARCHITECTURE" \\
        --include="$PACKAGES" --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \\
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \\
        --dpkgopt='path-exclude=/usr/share/doc/*' --customize-hook="\${CUSTOMIZE:-true}" \\
        "$RELEASE" "$work/tree.tar" - <"$work/sources" 2>&1
      mv "$work/tree.tar" "$OUT"`,
      {
        RELEASE: release,
        ARCHITECTURE: architecture,
        PACKAGES: packages.join(" "),
        CONFIGURED: String(configured),
        OUT: output,
        ...(customize ? { CUSTOMIZE: `sh '${customize.script}' "$1"`, ...customize.environment } : {}),
      },
    );
  });
}
