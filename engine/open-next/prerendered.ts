import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { filesBelow } from "./files.ts";
import { OutputRefused } from "./output.ts";

const Prerendered = z.object({ routes: z.record(z.string(), z.unknown()).default({}) });
const Copied = z.object({ origins: z.object({ s3: z.object({ copy: z.array(z.object({ from: z.string() })).default([]) }) }) });

/**
 * Every page that Next.js prerendered must be in the build's cache: without it the server renders it for each visitor, or
 * answers 404 where the app forbids other paths, and nothing else says so.
 *
 * @param app Next.js' folder in the server's bundle
 * @throws OutputRefused that names one of those that are missing
 */
export const checkPrerendered = async (root: string, app: string): Promise<void> => {
  const [manifest, output] = await Promise.all([
    readJson(join(app, "prerender-manifest.json"), Prerendered),
    readJson(join(root, "open-next.output.json"), Copied),
  ]);
  // an app that switched OpenNext's cache off has none to copy
  if (manifest === undefined || !output?.origins.s3.copy.some(({ from }) => from.endsWith("cache"))) return;
  const kept = await keptPages(join(root, "cache"));
  const missing = Object.keys(manifest.routes).filter((route) => !namesOf(route).some((name) => kept.has(name)));
  if (missing.length === 0) return;
  const others = missing.length === 1 ? "" : ` and ${missing.length - 1} more`;
  throw new OutputRefused(
    `the build prerendered ${missing[0]}${others}, and its cache does not hold ${others === "" ? "it" : "them"}: OpenNext could not read what Next.js made. Remove adapterPath from next.config and NEXT_ADAPTER_PATH, use a release of @opennextjs/aws that is made for this one of Next.js, and build again`,
  );
};

/** The path of each page in the cache. Newer builds keep a page below its source: `route-cache/APP_PAGE/<digest>/$/docs`. */
const keptPages = async (cache: string): Promise<ReadonlySet<string>> => {
  const pages = new Set<string>();
  for await (const path of filesBelow(cache)) {
    const [, page] = /^[^/]+\/(?:route-cache\/[^/]+\/[^/]+\/\$\/)?(.+)\.cache$/s.exec(path) ?? [];
    if (page !== undefined) pages.add(decoded(page));
  }
  return pages;
};

const namesOf = (route: string): string[] => {
  const path = decoded(route).replace(/^\//, "");
  return [path === "" ? "index" : path, `index/${path}`];
};

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

const readJson = async <T>(file: string, shape: z.ZodType<T>): Promise<T | undefined> => {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    throw new OutputRefused(`${file.slice(file.lastIndexOf("/") + 1)} is not what Next.js and OpenNext write: the build was cut short`, {
      cause: error,
    });
  }
};
