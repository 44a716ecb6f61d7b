import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { licencesOf } from "./licences.mjs";
import { manualOf } from "./manual.mjs";
import { sourceDate } from "./source-date.mjs";

/** Puts a product's manual page and its copyright file under `folder`. */
export async function stageDocuments(product, folder) {
  const put = (name, contents) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, contents, { mode: 0o644 });
  };
  const date = new Date((await sourceDate()) * 1000);
  const page = `usr/share/man/man${product.section}/${product.program}.${product.section}.gz`;
  // Without a time in it: the same bytes each time.
  put(page, gzipSync(manualOf(product, date), { level: 9 }));
  put(`usr/share/doc/${product.name}/copyright`, await licencesOf(product.entry));
}
