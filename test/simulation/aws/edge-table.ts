import { awsError } from "../world/call.ts";
import type { World } from "../world/world.ts";

export type EdgeTable = ReturnType<typeof edgeTableOf>;
type Rows = ReadonlyMap<string, string>;
type Changes = {
  readonly IfMatch: string;
  readonly Puts?: readonly { readonly Key: string; readonly Value: string }[];
  readonly Deletes?: readonly { readonly Key: string }[];
};

/** A CloudFront KeyValueStore: every change makes another version of the whole, and edges see versions late, but in order. */
export const edgeTableOf = (world: World, written: (key: string, before: string | undefined, after: string | undefined) => void) => {
  const versions: Rows[] = [new Map()];
  const made: number[] = [world.now()];
  /** keys that a hand wrote last, in each version */
  const hands: ReadonlySet<string>[] = [new Set()];
  /** everything that hands ever wrote or deleted, as `<key>=<value>` */
  const handed = new Set<string>();
  const newest = (): Rows => versions.at(-1) as Rows;
  const etag = (): string => `e${versions.length}`;
  const change = (puts: Changes["Puts"] = [], deletes: Changes["Deletes"] = [], byHand = false): void => {
    const changed = new Set([...puts, ...deletes].map(({ Key }) => Key));
    const others = [...(hands.at(-1) ?? [])].filter((key) => !changed.has(key));
    hands.push(new Set(byHand ? [...others, ...changed] : others));
    const rows = new Map(newest());
    for (const { Key, Value } of puts) rows.set(Key, Value);
    for (const { Key } of deletes) rows.delete(Key);
    versions.push(rows);
    made.push(world.now());
  };

  return {
    /** as edges may have it, oldest first */
    versions: versions as readonly Rows[],
    /** the number of the version that was the newest at that time */
    versionAt: (time: number): number =>
      Math.max(
        0,
        made.findLastIndex((one) => one <= time),
      ),
    api: {
      DescribeKeyValueStore: () => ({ ETag: etag() }),
      GetKey: ({ Key }: { Key: string }) => {
        const Value = newest().get(Key);
        if (Value === undefined) throw awsError("ResourceNotFoundException", 404);
        return { Value };
      },
      ListKeys: () => ({ Items: [...newest()].map(([Key, Value]) => ({ Key, Value })) }),
      UpdateKeys: ({ IfMatch, Puts, Deletes }: Changes) => {
        if (IfMatch !== etag()) throw awsError("ConflictException", 409);
        const before = newest();
        change(Puts, Deletes);
        for (const { Key, Value } of Puts ?? []) written(Key, before.get(Key), Value);
        for (const { Key } of Deletes ?? []) written(Key, before.get(Key), undefined);
        world.trace("the edge's table changes");
        return { ETag: etag() };
      },
    } as unknown as Readonly<Record<string, (input: unknown) => unknown>>,
    /** Somebody changes a row in the console. */
    edit: (key: string, value: string | undefined): void => {
      handed.add(`${key}=${value}`);
      if (value === undefined) change([], [{ Key: key }], true);
      else change([{ Key: key, Value: value }], [], true);
    },
    /** Whether a hand ever wrote this value there, or deleted the key. */
    wasHands: (key: string, value: string | undefined): boolean => handed.has(`${key}=${value}`),
    /** Whether a hand wrote that key last, in a version. */
    isHands: (version: number, key: string): boolean => hands[version]?.has(key) === true,
  };
};
