import { filesKey, releaseKey } from "../../blueprint/edge-table.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { clipped, storable } from "../../domain/kernel/text.ts";
import type { ReleaseAddresses } from "../../engine/aws/addresses.ts";
import { isOutage } from "../../engine/aws/errors.ts";
import type { Functions } from "../../engine/aws/functions.ts";
import type { Objects } from "../../engine/aws/objects.ts";
import type { Tags } from "../../engine/aws/tags.ts";
import { type Ports as RowPorts, removeRows } from "../../engine/edge/remove-rows.ts";
import { reasonOf } from "../../engine/kit/consumer.ts";
import { each } from "../../engine/kit/each.ts";
import type { Place } from "../../engine/sweep/place.ts";
import { type Kind, kinds, type Thing } from "../../engine/sweep/things.ts";

export type Ports = RowPorts & {
  readonly addresses: Pick<ReleaseAddresses, "remove">;
  readonly functions: Pick<Functions, "deleteVersion">;
  readonly objects: Pick<Objects, "pages" | "remove">;
  readonly tags: Pick<Tags, "removeOf">;
};

type Ended = Extract<EnvironmentEvent, { type: "SweepEnded" }>["body"];
export type Taken = Ended["taken"];
/** What was taken; `left`: what could not be, and why, of which there will be another mark. */
export type Outcome = { readonly taken: Taken; readonly bytes: number; readonly left: readonly Leftover[] };
export type Leftover = { readonly thing: string; readonly because: string };

/** The time in which things may be taken away is over: somebody claims them again. */
export class ClaimOver extends Error {
  override readonly name = "ClaimOver";
}

/** Requests at a time: well below what Lambda's API takes. */
const WIDTH = 4;

/**
 * Takes things away, kind by kind: what leads visitors somewhere goes before what is there, and what says that there is something goes
 * last, so that whatever dies on the way leaves only what is found again. It may be repeated. What cannot be taken is named, and its
 * release's manifest stays. Where a version stays, somebody uses it: its release's files, pages and build stay with it.
 *
 * @param thingsBut what goes where these versions stay (`<function>:<version>`)
 * @param sizes bytes by the names of versions and files
 * @param mayGoOn asked before each request that takes something: false once the claim is over, or nearly so
 * @throws ClaimOver; and whatever an outage is told by, so that it is tried again
 */
export const takeAway = async (
  ports: Ports,
  place: Place,
  thingsBut: (versions: ReadonlySet<string>) => readonly Thing[],
  sizes: ReadonlyMap<string, number>,
  mayGoOn: () => Promise<boolean>,
): Promise<Outcome> => {
  const mustGoOn = async (): Promise<void> => {
    if (!(await mayGoOn())) throw new ClaimOver("the claim of this sweep is over: it goes on with the next");
  };
  // between a list and the removal of what is on it may be any time
  const remove: Ports["objects"]["remove"] = async (bucket, keys) => {
    await mustGoOn();
    return ports.objects.remove(bucket, keys);
  };
  const guarded: Ports = { ...ports, objects: { pages: ports.objects.pages, remove } };
  const taken = { rows: 0, addresses: 0, versions: 0, pages: 0, tags: 0, files: 0, artifacts: 0 };
  const left: Leftover[] = [];
  const incomplete = new Set<string | null>();
  const staying = new Set<string>();
  let bytes = 0;
  const attempt = async (kind: Kind, group: readonly Thing[]): Promise<void> => {
    await mustGoOn();
    try {
      const one = await TAKE[kind](
        guarded,
        place,
        group.map(({ name }) => name),
        sizes,
      );
      bytes += one.bytes;
      if (kind !== "manifest") taken[COUNTED[kind]] += one.count;
    } catch (error) {
      if (error instanceof ClaimOver || isOutage(error)) throw error;
      left.push({ thing: `${kind} ${group[0]?.name}`, because: reasonOf(error) });
      for (const { of, name } of group) {
        incomplete.add(of);
        if (kind === "version") staying.add(name);
      }
    }
  };
  let [things, stayed] = [thingsBut(staying), 0];
  for (const kind of kinds) {
    if (staying.size > stayed) [things, stayed] = [thingsBut(staying), staying.size];
    const own = things.filter((thing) => thing.kind === kind && !(kind === "manifest" && incomplete.has(thing.of)));
    await each(groupsOf(kind, own), WIDTH, (group) => attempt(kind, group));
  }
  return { taken, bytes, left };
};

const COUNTED: Readonly<Record<Exclude<Kind, "manifest">, keyof Taken>> = {
  row: "rows",
  address: "addresses",
  version: "versions",
  pages: "pages",
  tags: "tags",
  files: "files",
  artifact: "artifacts",
};

/** What one request takes: all tags at once, since their whole table is read, and files by the thousand. */
const groupsOf = (kind: Kind, things: readonly Thing[]): (readonly Thing[])[] => {
  if (kind === "tags") return things.length === 0 ? [] : [things];
  const isSingle = ({ name }: Thing): boolean => kind === "files" && !name.endsWith("/");
  const single = things.filter(isSingle);
  const groups = Array.from({ length: Math.ceil(single.length / FILES) }, (_, n) => single.slice(n * FILES, (n + 1) * FILES));
  return [...groups, ...things.filter((thing) => !isSingle(thing)).map((thing) => [thing])];
};
const FILES = 1_000;

type Took = { readonly count: number; readonly bytes: number };
/** @param names one, but of tags and of files */
type Take = (ports: Ports, place: Place, names: readonly string[], sizes: ReadonlyMap<string, number>) => Promise<Took>;

const TAKE: Readonly<Record<Kind, Take>> = {
  row: async (ports, { edge: { edgeTable, distribution } }, [name = ""]) => {
    if (edgeTable === null || distribution === null) return { count: 0, bytes: 0 };
    return { count: await removeRows(ports, edgeTable, keysOf(distribution, name)), bytes: 0 };
  },
  address: async ({ addresses }, _, [name = ""], sizes) => {
    // nearly all went when their windows were over
    if (!sizes.has(name)) return { count: 0, bytes: 0 };
    const [fn = "", alias = ""] = name.split(":");
    await addresses.remove({ name: fn, alias });
    return { count: 1, bytes: 0 };
  },
  version: async ({ functions }, _, [name = ""], sizes) => {
    const [fn = "", version = ""] = name.split(":");
    const size = sizes.get(name);
    if (size === undefined) return { count: 0, bytes: 0 };
    if (!(await functions.deleteVersion(fn, version))) throw new Error("an alias is at it: somebody put one there");
    return { count: 1, bytes: size };
  },
  pages: (ports, { bucket }, [name = ""]) => removeBelow(ports, bucket, name),
  tags: async ({ tags }, { tagTable }, ids) => ({ count: await tags.removeOf(tagTable, new Set(ids)), bytes: 0 }),
  files: async (ports, { bucket }, names, sizes) => {
    const [name = ""] = names;
    if (name.endsWith("/")) return removeBelow(ports, bucket, name);
    await ports.objects.remove(bucket, names);
    const there = names.flatMap((one) => sizes.get(one) ?? []);
    return { count: there.length, bytes: there.reduce((sum, size) => sum + size, 0) };
  },
  artifact: (ports, { artifacts }, [name = ""]) => removeBelow(ports, artifacts, name),
  manifest: (ports, { bucket }, [name = ""]) => removeBelow(ports, bucket, name),
};

/** `release:<id>`, or `files:<set>:<how many>`. The first row of a set is the one by which it is known: it goes first. */
const keysOf = (distribution: string, name: string): string[] => {
  const [kind, id = "", rows = "0"] = name.split(":");
  if (kind === "release") return [releaseKey(distribution, id)];
  return Array.from({ length: Number(rows) }, (_, row) => filesKey(distribution, id, row));
};

/** An object, or a folder, which ends with a slash. */
const removeBelow = async ({ objects }: Ports, bucket: string, name: string): Promise<Took> => {
  let [count, bytes] = [0, 0];
  for await (const page of objects.pages(bucket, name)) {
    const own = name.endsWith("/") ? page : page.filter(({ key }) => key === name);
    await objects.remove(
      bucket,
      own.map(({ key }) => key),
    );
    count += own.length;
    for (const one of own) bytes += one.bytes;
  }
  return { count, bytes };
};

/** The first of them by name: an event must stay small, and readable. */
export const leftOf = (left: readonly Leftover[]): Pick<Ended, "left"> => {
  if (left.length === 0) return {};
  const named = left.slice(0, MOST_LEFT).map(({ thing, because }) => ({
    thing: clipped(storable(thing), MOST_NAME),
    because: clipped(storable(because), MOST_BECAUSE),
  }));
  return { left: { count: left.length, named } };
};
const MOST_LEFT = 20;
export const MOST_NAME = 300;
const MOST_BECAUSE = 500;
