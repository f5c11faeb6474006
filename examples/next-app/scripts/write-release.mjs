/** Puts the release's id into a public file, so that a public file of the same name differs between releases. */
import { writeFileSync } from "node:fs";

writeFileSync(new URL("../public/release.txt", import.meta.url), `${process.env.DEPLOYMENT_ID || "development"}\n`);
