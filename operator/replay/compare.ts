import { isDeepStrictEqual } from "node:util";
import type { Commit } from "../../domain/kernel/chain.ts";
import { each } from "../../engine/kit/each.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { modelOf, rowOf, type ViewName } from "../../engine/views/read-models.ts";
import { digestOf, type FoundRow, type Item, type ViewItems, viewText } from "../../engine/views/view-items.ts";
import { type Folded, rowKey } from "./folding.ts";

/** A row that is not what the log says. */
export type Difference = { readonly view: ViewName; readonly stream: string; readonly what: string };
export type Compared = {
  readonly rows: number;
  readonly differences: readonly Difference[];
  /** rows that another engine wrote in another shape: they are made anew when they are read */
  readonly outdated: number;
};

export type Ports = {
  /** the commits of a stream after a version, strongly consistent */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  readonly items: Pick<ViewItems, "scan" | "find" | "itemOf">;
  /** brings one row up to the end of its stream, where that is ours to do */
  bringUp(name: ViewName, stream: string): Promise<void>;
  /** called before rows that are behind their streams are looked at again: others may be bringing them up */
  wait(): Promise<void>;
  /** called again and again while it works */
  pulse(): Promise<void>;
};

/** Parts of the table that are scanned at once. */
const PARTS = 4;
/** Rows that are looked at singly at once. */
const WIDTH = 8;
/** Rows may be a moment behind their streams: those are looked at so many times, all of them before one again. */
const TRIES = 6;

/**
 * Compares each row of these generations with the fold of its stream, byte for byte, and finds rows that are missing and
 * rows that no stream has. What does not fit at first sight is folded again from the store, at the version that the row
 * has, because events go on arriving.
 *
 * @param folded by `rowKey`
 * @param other generations whose rows are known to be written after: where one is newer, ours is brought up
 */
export const compareRows = async (
  { read, items, bringUp, wait, pulse }: Ports,
  folded: ReadonlyMap<string, Folded>,
  ours: Readonly<Partial<Record<ViewName, number>>>,
  other: Readonly<Partial<Record<ViewName, number>>>,
): Promise<Compared> => {
  const doubtful = new Map<string, { view: ViewName; stream: string }>();
  const right = new Set<string>();
  let rows = 0;
  let outdated = 0;
  const look = ({ view, generation, stream, item }: FoundRow): void => {
    const key = rowKey(view, stream);
    const expected = folded.get(key);
    if (generation === ours[view]) {
      rows += 1;
      if (expected?.digest !== undefined && item.shape?.N !== String(modelOf(view).shape)) {
        outdated += 1;
        right.add(key);
      } else if (expected?.digest !== undefined && expected.digest === digestOf(item)) right.add(key);
      else doubtful.set(key, { view, stream });
    } else if (generation === other[view] && Number(item.version?.N) > (expected?.version ?? 0)) doubtful.set(key, { view, stream });
  };
  await each(
    Array.from({ length: PARTS }, (_, part) => part),
    PARTS,
    async (part) => {
      for await (const page of items.scan(part, PARTS)) {
        for (const row of page) look(row);
        await pulse();
      }
    },
  );
  for (const [key, { view, stream, digest }] of folded) if (digest !== undefined && !right.has(key)) doubtful.set(key, { view, stream });

  const differences: Difference[] = [];
  let left = [...doubtful.values()];
  for (let tries = 1; left.length > 0; tries++) {
    if (tries > 1) await wait();
    const behind: typeof left = [];
    await each(left, WIDTH, async ({ view, stream }) => {
      const found = await settle(view, stream, ours[view] ?? 0);
      if (found?.behind && tries < TRIES) behind.push({ view, stream });
      else if (found !== undefined) differences.push({ view, stream, what: found.what });
      await pulse();
    });
    left = behind;
  }
  return { rows, outdated, differences: differences.sort((a, b) => (a.stream < b.stream ? -1 : 1)) };

  /** What is wrong with one row, and whether it may only be behind its stream; `undefined` where nothing is. */
  async function settle(name: ViewName, stream: string, generation: number): Promise<{ what: string; behind: boolean } | undefined> {
    await bringUp(name, stream);
    const item = await items.find(name, generation, stream);
    const commits = await read(stream, 0);
    const end = rowOf(name, stream, commits.flatMap(eventsOf))?.version ?? 0;
    if (item === undefined) return end === 0 ? undefined : { what: "there is no row", behind: true };
    const version = Number(item.version?.N ?? 0);
    const then = rowOf(name, stream, commits.filter((commit) => commit.version <= version).flatMap(eventsOf));
    if (then === undefined)
      return { what: commits.length === 0 ? "the log has no such stream" : `the log has no version ${version} of it`, behind: false };
    const wrong = differing(item, items.itemOf(name, generation, then));
    if (wrong.length > 0)
      return { what: `${wrong.join(", ")} ${wrong.length === 1 ? "differs" : "differ"} from the log at version ${version}`, behind: false };
    return version === end ? undefined : { what: `the row is at version ${version}, and its stream at ${end}`, behind: true };
  }
};

/** The names of what is not the same: fields of the view, and attributes of the item. In canonical JSON order plays no part. */
const differing = (found: Item, expected: Item): string[] => {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  names.delete("view");
  const attributes = [...names].filter((name) => !isDeepStrictEqual(found[name], expected[name]));
  return [...fields(viewText(found), viewText(expected)), ...attributes.map((name) => `attribute ${name}`)].sort();
};

const fields = (found: string, expected: string): string[] => {
  if (found === expected) return [];
  const one = object(found);
  const other = object(expected);
  if (one === undefined || other === undefined) return ["attribute view"];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => canonical(one[name]) !== canonical(other[name]));
};

const object = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

/** JSON with the keys of every object in order. */
export const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
