import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Check } from "../../domain/deployment/events.ts";
import type { PublishedFunction } from "../../domain/deployment/shapes.ts";
import { each } from "../../engine/kit/each.ts";
import { type AssetPaths, checkPathBelow, inRelease } from "../../engine/open-next/asset-paths.ts";
import { assetsNamedBy, type PageAnswer, pageAnswerOf, redirectOf } from "../../engine/open-next/named-assets.ts";
import { type At, atOf, pageProbe, probeVersion } from "../../engine/open-next/probe.ts";

export type Ports = {
  invoke(name: string, version: string, payload: unknown): Promise<{ version: string; failed: string | null; payload: string }>;
  /** whether visitors of this release get an asset under this path (decoded, without a leading slash) */
  hasAsset(site: SiteConfig, path: string): Promise<boolean>;
  now(): number;
};

/** A page may lead to another: to a slash at its end, to a language, to a login. */
const MAX_REDIRECTS = 3;
/** Objects that are asked for at a time, and how many missing ones are named. */
const WIDTH = 8;
const MAX_NAMED = 3;

/**
 * Asks every version whether it works, and whether the scripts and styles that the server's page names are among the
 * release's files: a page without them is blank or dead. Nothing of it is live yet, so the files are asked of the store.
 */
export const checkRelease = async (
  ports: Ports,
  site: SiteConfig,
  { paths, buildId }: { readonly paths: AssetPaths; readonly buildId: string },
  functions: readonly PublishedFunction[],
  releaseId: string,
): Promise<{ checks: Check[]; faults: string[] }> => {
  const at = atOf(site, paths.base);
  const stored = (path: string): string => inRelease(path, buildId, releaseId);
  const faults: string[] = [];
  const checks = await Promise.all(
    functions.map(async (published): Promise<Check> => {
      const { role, name, version } = published;
      const began = ports.now();
      const { path, status, fault, payload } = await probeVersion(ports.invoke, published, at, began);
      const wrong = fault ?? (role === "server" ? await assetFault(ports, site, at, published, payload, stored) : undefined);
      if (wrong !== undefined) faults.push(`${name}:${version} did not pass its check${path ? ` (GET ${path})` : ""}: ${wrong}`);
      return { role, function: name, version, ms: ports.now() - began, ...(path && { path }), ...(status && { status }) };
    }),
  );
  return { checks, faults };
};

/** What the page names and nobody could get, in a sentence; `undefined` where all is there. */
const assetFault = async (
  ports: Ports,
  site: SiteConfig,
  at: At,
  published: PublishedFunction,
  payload: string,
  /** where the file of a path is */
  stored: (path: string) => string,
): Promise<string | undefined> => {
  const { page, answer } = await followed(ports, at, published, payload);
  if (answer === undefined) return undefined;
  const missing: string[] = [];
  await each(assetsNamedBy(answer, page), WIDTH, async (path) => {
    if (!(await ports.hasAsset(site, stored(path)))) missing.push(`/${path}`);
  });
  if (missing.length === 0) return undefined;
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : "";
  return `its page names ${missing.sort().slice(0, MAX_NAMED).join(", ")}${more}, and the build has no such file: the page would come without its scripts or styles. Check basePath and assetPrefix in next.config, and that nothing renames or removes files of .next/static after the build`;
};

/** The page behind redirects. The answer is missing where a page that one leads to gives none. */
const followed = async (
  { invoke, now }: Ports,
  at: At,
  { name, version }: PublishedFunction,
  payload: string,
): Promise<{ page: URL; answer: PageAnswer | undefined }> => {
  let page = new URL(checkPathBelow(at.base, at.checkPath), `https://${at.host}`);
  let answer = pageAnswerOf(payload);
  for (let redirects = 0; answer !== undefined && redirects < MAX_REDIRECTS; redirects++) {
    const next = redirectOf(answer, page);
    if (next === undefined) break;
    page = next;
    answer = pageAnswerOf((await invoke(name, version, pageProbe(`${page.pathname}${page.search}`, at, now()).payload)).payload);
  }
  return { page, answer };
};
