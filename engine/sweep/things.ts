import * as z from "zod";
import { publicSetOf } from "../../blueprint/edge-table.ts";
import { contentKey, type Manifest, manifestKey, pagesIdOf, setFolder, setOf } from "../open-next/manifest.ts";
import { addressesOf, type Found } from "./found.ts";
import type { Place } from "./place.ts";

/**
 * What there is of a release, in the order in which it is taken away: first what leads visitors there, then what would answer them,
 * then what that needs, and in the end what says that there is something.
 */
export const kinds = ["row", "address", "version", "pages", "tags", "files", "artifact", "manifest"] as const;
export type Kind = (typeof kinds)[number];

/**
 * One thing. `name`: a key of the edge's table; `<function>:<alias or version>`; a key in a bucket, or a folder of it, which ends
 * with a slash; the id that rows of the tag table begin with. `of`: the deployment that it is of; null where the log knows none.
 */
export const Thing = z.object({ kind: z.enum(kinds), name: z.string(), of: z.string().nullable() });
export type Thing = z.infer<typeof Thing>;

export const idOf = ({ kind, name }: Thing): string => `${kind} ${name}`;

/** `isUnknown`: nobody knows which builds are taken over */
export type InUse = { readonly artifacts: ReadonlySet<string>; readonly releases: ReadonlySet<string>; readonly isUnknown?: boolean };
/** A folder's name, and none of the cache's own (`__fetch`). */
const PAGES_ID = /^(?!__)[\w.-]*\w[\w.-]*$/;
type Manifests = ReadonlyMap<string, Manifest | undefined>;

/** What several releases may share goes only where none of those that remain has it. */
type Remaining = {
  readonly versions: ReadonlySet<string>;
  readonly releases: ReadonlySet<string>;
  /** ids of their pages */
  readonly pages: ReadonlySet<string>;
  readonly sets: ReadonlySet<string>;
  /** `undefined` where it is not known which files some of them have */
  readonly files: ReadonlySet<string> | undefined;
  readonly contents: ReadonlySet<string>;
  readonly artifacts: ReadonlySet<string>;
  /** of one of them nobody knows what its pages are named by */
  readonly isUnnamed: boolean;
  /** of one of them nobody knows which public files it has */
  readonly isUnread: boolean;
};

/**
 * Everything of the releases that go and that no other release needs.
 *
 * @param remaining every other deployment that there is something of
 * @param manifests of both
 * @param inUse artifacts that a deployment which has not ended takes over, and ids of releases that somebody keeps
 */
export const thingsOf = (
  place: Place,
  going: readonly Found[],
  remaining: readonly Found[],
  manifests: Manifests,
  inUse: InUse,
): Thing[] => {
  const rest = remainingOf(remaining, manifests, inUse);
  const things = new Map<string, Thing>();
  for (const one of going) {
    const of = one.deploymentId;
    const add = (kind: Kind, name: string): void => {
      const thing = { kind, name, of };
      if (!things.has(idOf(thing))) things.set(idOf(thing), thing);
    };
    for (const { name, alias } of addressesOf(one)) add("address", `${name}:${alias}`);
    for (const { name, version } of one.functions) if (!rest.versions.has(`${name}:${version}`)) add("version", `${name}:${version}`);
    if (!rest.releases.has(one.release)) add("row", `release:${one.release}`);
    const pages = pagesIdOf(manifests.get(of), one.release);
    if (PAGES_ID.test(pages) && !rest.pages.has(pages) && (pages === one.release || !rest.isUnnamed)) {
      add("pages", `${place.cache}/${pages}/`);
      add("pages", `${place.cache}/__fetch/${pages}/`);
      add("tags", pages);
    }
    for (const [kind, name] of filesOf(place, manifests.get(of), rest)) add(kind, name);
    if (one.artifact !== undefined && inUse.isUnknown !== true && !rest.artifacts.has(one.artifact)) add("artifact", one.artifact);
    // what nobody can tell to be its own is found by it once that can be told
    if (!rest.isUnread && inUse.isUnknown !== true) add("manifest", manifestKey(place.releases, of));
  }
  return [...things.values()].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (a.name < b.name ? -1 : 1));
};

/** Files and rows that a manifest names, and no other does. */
function* filesOf(place: Place, manifest: Manifest | undefined, rest: Remaining): Generator<readonly [Kind, string]> {
  if (manifest === undefined) return;
  const { files } = rest;
  if (files !== undefined) for (const path of manifest.versioned ?? []) if (!files.has(path)) yield ["files", `${place.assets}/${path}`];
  if (rest.isUnread) return;
  const set = setOf(manifest.publicFiles);
  if (!rest.sets.has(set)) {
    yield ["row", `files:${set}:${rowsOf(manifest)}`];
    yield ["files", `${setFolder(place.assets, set)}/`];
  }
  if (manifest.v === 1)
    for (const { sha256 } of manifest.publicFiles) if (!rest.contents.has(sha256)) yield ["files", contentKey(place.publicFiles, sha256)];
}

/** Rows that the edge's table has for its public files. */
const rowsOf = ({ publicFiles }: Manifest): number =>
  publicSetOf(
    setOf(publicFiles),
    publicFiles.map(({ path }) => path),
  )?.files.rows ?? 0;

const remainingOf = (remaining: readonly Found[], manifests: Manifests, inUse: InUse): Remaining => {
  const read = remaining.map(({ deploymentId }) => manifests.get(deploymentId));
  const known = read.filter((manifest) => manifest !== undefined);
  return {
    versions: new Set(remaining.flatMap(({ functions }) => functions.map(({ name, version }) => `${name}:${version}`))),
    releases: new Set([...remaining.map(({ release }) => release), ...inUse.releases]),
    pages: new Set([...remaining.map(({ deploymentId, release }) => pagesIdOf(manifests.get(deploymentId), release)), ...inUse.releases]),
    sets: new Set(known.map(({ publicFiles }) => setOf(publicFiles))),
    files: namedBy(read),
    contents: new Set(known.flatMap(({ v, publicFiles }) => (v === 1 ? publicFiles.map(({ sha256 }) => sha256) : []))),
    artifacts: new Set([...remaining.flatMap(({ artifact }) => artifact ?? []), ...inUse.artifacts]),
    isUnnamed: read.some((manifest) => manifest?.runtimeId === undefined),
    isUnread: known.length < read.length,
  };
};

/** Files below the assets that these releases name; `undefined` where one of them is of an engine that did not list them. */
export const namedBy = (manifests: Iterable<Manifest | undefined>): ReadonlySet<string> | undefined => {
  const named = new Set<string>();
  for (const manifest of manifests) {
    if (manifest?.versioned === undefined) return undefined;
    for (const path of manifest.versioned) named.add(path);
  }
  return named;
};
