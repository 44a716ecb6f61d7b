// The licences of what a program is made of: a copyright file in Debian's machine-readable form, and the texts.
import { vendor } from "./about.mjs";
import { nodeComponent, packagesOf } from "./components.mjs";

const title = ({ name, version }) => `${name} ${version}`;

/** Of the program that is made from `source`, for one platform: what the copyright file says, and the texts beside it. */
export async function licences(platform, source) {
  const parts = [await nodeComponent(platform), ...(await packagesOf(source))];
  const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: limiquantix-guest-agent
Comment: Third-party code is in the executable and beside it; the texts of its licences are in
 third-party-licences.gz.

Files: *
Copyright: 2026 ${vendor}
License: proprietary
 All rights reserved. It may be used as agreed with ${vendor}.
${parts.map((part) => `\nFiles: ${part.name}\nCopyright: the authors of ${title(part)}\nLicense: ${part.license}\n`).join("")}${[
    ...new Set(parts.map(({ license }) => license)),
  ]
    .map((license) => `\nLicense: ${license}\n ${whereText(license)}\n`)
    .join("")}`;
  const texts = parts.map(
    (part) =>
      `${title(part)} (${part.license})\n\n${part.licence?.trim() ?? "The package has no text of it."}\n`,
  );
  return { copyright, texts: texts.join(`\n${"=".repeat(78)}\n\n`) };
}

const whereText = (license) =>
  license === "Apache-2.0"
    ? "On Debian systems the text is /usr/share/common-licenses/Apache-2.0."
    : "The text, with the names of the authors, is in third-party-licences.gz.";
