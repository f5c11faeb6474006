import { PREFIX } from "./prefix.ts";
import { EVENTS_TABLE, PEOPLE_TABLE, SNAPSHOTS_TABLE, VIEWS_TABLE } from "./topology.ts";

/**
 * Tables and buckets as data: AWS (SST) and the local endpoint make them from here, so that a key or an index that only
 * one of them has is impossible.
 */

export type KeyType = "string" | "number";
export type Index = { readonly hash: string; readonly range: string };

/** A table billed by request; every index holds whole items. */
export type Table = {
  readonly name: string;
  readonly keys: Readonly<Record<string, KeyType>>;
  readonly primary: Index;
  readonly indexes: Readonly<Record<string, Index>>;
  /** what the table's stream tells of a change; null: it has none */
  readonly stream: "new-image" | null;
  /** the attribute that says when an item expires, in seconds since 1970; null: nothing does */
  readonly expires: string | null;
  /** false: what is removed is in no backup either; absent where it can be restored to any second of 35 days */
  readonly restorable?: false;
};

const strings = (...names: string[]): Record<string, KeyType> => Object.fromEntries(names.map((name) => [name, "string"]));

export const eventsTable: Table = {
  name: EVENTS_TABLE,
  keys: strings("pk", "sk", "gsi1pk", "gsi1sk"),
  primary: { hash: "pk", range: "sk" },
  indexes: { log: { hash: "gsi1pk", range: "gsi1sk" } },
  stream: "new-image",
  expires: null,
};

export const viewsTable: Table = {
  name: VIEWS_TABLE,
  keys: strings("pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"),
  primary: { hash: "pk", range: "sk" },
  indexes: { gsi1: { hash: "gsi1pk", range: "gsi1sk" }, gsi2: { hash: "gsi2pk", range: "gsi2sk" } },
  stream: null,
  // deliveries of webhooks, after 30 days
  expires: "expiresAt",
};

export const snapshotsTable: Table = {
  name: SNAPSHOTS_TABLE,
  keys: strings("pk", "sk"),
  primary: { hash: "pk", range: "sk" },
  indexes: {},
  stream: null,
  expires: null,
};

/** One partition, by names: few enough that a process knows them all. */
export const peopleTable: Table = {
  name: PEOPLE_TABLE,
  keys: strings("pk", "sk"),
  primary: { hash: "pk", range: "sk" },
  indexes: {},
  stream: null,
  expires: null,
  restorable: false,
};

/** The tags of one environment, in the shape that OpenNext's own tag cache reads. */
export const tagTable = (name: string): Table => ({
  name,
  keys: { tag: "string", path: "string", revalidatedAt: "number" },
  primary: { hash: "tag", range: "path" },
  indexes: { revalidate: { hash: "path", range: "revalidatedAt" } },
  stream: null,
  expires: null,
});

export type Bucket = {
  readonly name: string;
  /** objects are removed after so many days; null: kept until somebody removes them */
  readonly expireDays: number | null;
  readonly versioned: boolean;
  /** written once: nothing in it can be changed or removed before its time */
  readonly locked: boolean;
};

/** A bucket's name takes no underscore. */
const bucketOf = (name: string): string => `${PREFIX.replaceAll("_", "-")}-${name}`;

export const buckets = {
  /** zips of apps' sources, by digest */
  sources: { name: bucketOf("sources"), expireDays: 90, versioned: false, locked: false },
  /** outputs and caches of builds, code of functions, what the relay could not tell: all of it can be made again */
  artifacts: { name: bucketOf("artifacts"), expireDays: 90, versioned: false, locked: false },
  /** what visitors get, and OpenNext's caches: live releases need files of any age */
  static: { name: bucketOf("static"), expireDays: null, versioned: true, locked: false },
  /** sealed history */
  archive: { name: bucketOf("archive"), expireDays: null, versioned: true, locked: true },
} as const satisfies Record<string, Bucket>;

export type BucketKey = keyof typeof buckets;

/** Years for which a protected stage's archive can be neither changed nor removed, by nobody. */
export const ARCHIVE_LOCK_DAYS = 400;
