import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorAt, type Finding, unchecked } from "./finding.ts";
import { withoutComments } from "./source-code.ts";

const ROOTS = ["app", "pages", "src/app", "src/pages"];
const SOURCE = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const MAX_FILES = 5_000;
/** Of each file: where routes say their runtime is their beginning. */
const MAX_BYTES = 64 * 1024;
const SHOWN = 5;

/** Of the App Router, and of the Pages Router (`config = { runtime: … }`). */
const EDGE =
  /^\s*export\s+const\s+(?:runtime\s*(?::[^=]+)?=\s*|config\s*(?::[^=]+)?=\s*\{[\s\S]{0,1000}?\bruntime\s*:\s*)(["'`])(?:experimental-)?edge\1/m;

/** Routes that ask for the edge runtime, which no release can have. */
export async function checkEdgeRoutes(app: string): Promise<Finding[]> {
  const { files, isCut } = await sourcesOf(app);
  const edge: string[] = [];
  for (let from = 0; from < files.length; from += 32) {
    const group = files.slice(from, from + 32);
    const texts = await Promise.all(group.map((file) => beginningOf(join(app, file))));
    edge.push(...group.filter((_file, index) => EDGE.test(withoutComments(texts[index] ?? ""))));
  }
  const more = edge.length > SHOWN ? ` and ${edge.length - SHOWN} more` : "";
  return [
    ...(edge.length === 0
      ? []
      : [
          errorAt(
            "next.edge",
            `${edge.slice(0, SHOWN).join(", ")}${more} in ${app} ${edge.length === 1 ? "asks" : "ask"} for the edge runtime, which is not supported.`,
            'Remove runtime = "edge": they then run in the server.',
          ),
        ]),
    ...(isCut ? [unchecked("next.edge", `Only the first ${MAX_FILES} source files of ${app} were looked at for runtime = "edge".`)] : []),
  ];
}

async function sourcesOf(app: string): Promise<{ files: string[]; isCut: boolean }> {
  const files: string[] = [];
  const waiting = [...ROOTS];
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    for (const item of await readdir(join(app, folder), { withFileTypes: true }).catch(() => [])) {
      const path = `${folder}/${item.name}`;
      if (item.isDirectory() && item.name !== "node_modules") waiting.push(path);
      if (!item.isFile() || !SOURCE.test(item.name)) continue;
      if (files.length === MAX_FILES) return { files, isCut: true };
      files.push(path);
    }
  }
  return { files, isCut: false };
}

async function beginningOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return "";
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
