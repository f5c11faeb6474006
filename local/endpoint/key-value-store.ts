import { createHash, randomBytes } from "node:crypto";
import { MAX_CHANGES, MAX_TABLE, MAX_VALUE } from "../../blueprint/edge-table.ts";
import { ACCOUNT, AwsError } from "../http.ts";
import { openRecordStore } from "../record-store.ts";

/** What one request puts and deletes. */
export type Changes = {
  readonly puts: readonly { readonly Key: string; readonly Value: string }[];
  readonly deletes: readonly { readonly Key: string }[];
};

/** `key-value-stores/<arn>.json`: one file a store, so that a write is there whole or not at all. Milliseconds since 1970. */
type Stored = {
  readonly arn: string;
  readonly etag: string;
  readonly created: number;
  readonly modified: number;
  readonly items: readonly (readonly [key: string, value: string])[];
};

/** A store as it is between two writes. */
export type KeyValueStore = Omit<Stored, "items"> & { readonly items: ReadonlyMap<string, string>; readonly bytes: number };

export type KeyValueStores = ReturnType<typeof openKeyValueStores>;

/** Bytes of UTF-8. */
export const MAX_KEY = 512;
/** For so long a value that was replaced can still be read as it was. */
const KEPT_MS = 60_000;

type Former = { readonly until: number; readonly value: string | undefined };

/**
 * The key-value stores of CloudFront and what lies in them. Beside the API, what runs in this process makes and reads them
 * here: an edge looks a row up in no time, and as old as its distance would make it.
 *
 * @param now milliseconds of a clock that never goes back: `performance.now()`
 */
export const openKeyValueStores = (folder: string, now: () => number = () => performance.now()) => {
  const files = openRecordStore<Stored>(folder, ["arn", "etag", "items"]);
  const stores = new Map(files.all().map((stored) => [stored.arn, storeOf(stored)]));
  const former = new Map<string, Map<string, readonly Former[]>>();

  const put = (stored: Stored): KeyValueStore => {
    files.put(stored.arn, stored);
    const store = storeOf(stored);
    stores.set(stored.arn, store);
    return store;
  };

  const remember = (before: KeyValueStore, keys: readonly string[]): void => {
    const until = now();
    const kept = former.get(before.arn) ?? new Map<string, readonly Former[]>();
    former.set(before.arn, kept);
    for (const key of keys) kept.set(key, [...(kept.get(key) ?? []), { until, value: before.items.get(key) }]);
    for (const [key, all] of kept) {
      const recent = all.filter((one) => one.until > until - KEPT_MS);
      if (recent.length > 0) kept.set(key, recent);
      else kept.delete(key);
    }
  };

  const get = (arn: string): KeyValueStore => {
    const store = stores.get(arn);
    if (store === undefined) throw new AwsError("ResourceNotFoundException", 404, `There is no key value store ${arn}.`);
    return store;
  };

  return {
    /** The ARN of the store of this name, which is there from now on. The same name is the same store. */
    create(name: string): string {
      const arn = `arn:aws:cloudfront::${ACCOUNT}:key-value-store/${idOf(name)}`;
      const time = Date.now();
      if (!stores.has(arn)) put({ arn, etag: newETag(), created: time, modified: time, items: [] });
      return arn;
    },

    /** @throws AwsError `ResourceNotFoundException` */
    get,

    /** `undefined`: there is no such key, or no such store. */
    read: (arn: string, key: string): string | undefined => stores.get(arn)?.items.get(key),

    /**
     * The value as it was at a moment of `performance.now()`, at most 60 s ago; what was before this process began, it does not
     * know, and gives the present value. Who asks for later and later moments never sees an older value after a newer one.
     */
    readAsOf(arn: string, key: string, at: number): string | undefined {
      const then = former
        .get(arn)
        ?.get(key)
        ?.find(({ until }) => at < until);
      return then === undefined ? stores.get(arn)?.items.get(key) : then.value;
    },

    /**
     * Makes all the changes or none.
     *
     * @param etag the store as the writer has seen it
     * @throws AwsError where there is no such store, the request breaks a limit, or somebody else wrote since
     */
    update(arn: string, etag: string | undefined, changes: Changes): KeyValueStore {
      const store = get(arn);
      checkChanges(changes);
      if (etag === undefined) throw new AwsError("ValidationException", 400, "The request has no If-Match.");
      if (etag !== store.etag)
        throw new AwsError("ConflictException", 409, `The store is not at the version ${etag} any more: read its ETag again.`);
      const items = new Map(store.items);
      // AWS documents this for DeleteKey; a client that relies on neither works with both
      for (const { Key } of changes.deletes)
        if (!items.delete(Key)) throw new AwsError("ResourceNotFoundException", 404, `There is no key ${Key}.`);
      for (const { Key, Value } of changes.puts) items.set(Key, Value);
      if (bytesOf(items) > MAX_TABLE)
        throw new AwsError("ServiceQuotaExceededException", 402, `The store would be larger than ${MAX_TABLE} bytes.`);
      const { created } = store;
      const after = put({ arn, etag: newETag(), created, modified: Date.now(), items: [...items] });
      remember(
        store,
        [...changes.deletes, ...changes.puts].map(({ Key }) => Key),
      );
      return after;
    },
  };
};

const storeOf = ({ items: pairs, ...stored }: Stored): KeyValueStore => {
  const items = new Map(pairs);
  return { ...stored, items, bytes: bytesOf(items) };
};

const bytesOf = (items: ReadonlyMap<string, string>): number =>
  [...items].reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);

/** @throws AwsError `ValidationException` */
function checkChanges({ puts, deletes }: Changes): void {
  const keys = [...puts, ...deletes].map(({ Key }) => Key);
  const refuse = (why: string): never => {
    throw new AwsError("ValidationException", 400, why);
  };
  if (keys.length === 0) refuse("The request changes nothing.");
  if (keys.length > MAX_CHANGES) refuse(`A request may change ${MAX_CHANGES} keys; this one changes ${keys.length}.`);
  if (new Set(keys).size < keys.length) refuse("The request names a key more than once.");
  if (keys.some((key) => key === "" || Buffer.byteLength(key) > MAX_KEY)) refuse(`A key has 1 to ${MAX_KEY} bytes.`);
  if (puts.some(({ Value }) => Buffer.byteLength(Value) > MAX_VALUE)) refuse(`A value has at most ${MAX_VALUE} bytes.`);
}

/** A UUID that follows from the name. */
const idOf = (name: string): string =>
  createHash("sha256")
    .update(name)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");

const newETag = (): string => `KV${randomBytes(8).toString("hex").toUpperCase()}`;
