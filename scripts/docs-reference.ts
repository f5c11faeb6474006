import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pages, REFERENCE } from "./docs/pages.ts";

/** `npm run docs:reference`: writes the pages of the reference that are made of the code. A test says when they are out of date. */
const folder = join(import.meta.dirname, "..", REFERENCE);
mkdirSync(folder, { recursive: true });
for (const [file, page] of Object.entries(pages)) writeFileSync(join(folder, file), page());
console.log(`${Object.keys(pages).length} pages in ${REFERENCE}`);
