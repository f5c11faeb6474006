import * as z from "zod";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from "../http.ts";
import type { KeyValueStore, KeyValueStores } from "./key-value-store.ts";
import { parseInput } from "./wire.ts";

/** Where the data of key-value stores is asked for; no bucket is called so. */
export const KEY_VALUE_PATH = /^\/key-value-stores\/([^/]+)(?:\/(keys)(?:\/([^/]+))?)?$/;

const OPERATIONS: Readonly<Record<string, string>> = {
  "GET store": "DescribeKeyValueStore",
  "GET keys": "ListKeys",
  "POST keys": "UpdateKeys",
  "GET key": "GetKey",
  "PUT key": "PutKey",
  "DELETE key": "DeleteKey",
};

/** `undefined` where the API has no such operation. */
export const keyValueOperation = (method: string, path: string): string | undefined => {
  const [whole, , keys, key] = KEY_VALUE_PATH.exec(path) ?? [];
  const what = key !== undefined ? "key" : keys !== undefined ? "keys" : "store";
  return whole === undefined ? undefined : OPERATIONS[`${method} ${what}`];
};

const Key = z.string();
const Value = z.string();
const UpdateInput = z.object({
  Puts: z.array(z.object({ Key, Value })).nullish(),
  Deletes: z.array(z.object({ Key })).nullish(),
});
const PutInput = z.object({ Value });
const ListInput = z.object({ MaxResults: z.coerce.number().int().min(1).max(50).default(50), NextToken: z.string().default("") });

type Call = { readonly arn: string; readonly key: string; readonly request: AwsRequest };

/** The data API of CloudFront KeyValueStore. Stores are made in this process (`KeyValueStores.create`). */
export const keyValueService = (stores: KeyValueStores): AwsService => {
  const operations: Readonly<Record<string, (call: Call) => AwsResponse>> = {
    DescribeKeyValueStore({ arn }) {
      const store = stores.get(arn);
      const times = { Created: store.created / 1000, LastModified: store.modified / 1000 };
      return answer({ ...sizeOf(store), KvsARN: arn, ...times, Status: "READY" }, store);
    },
    GetKey({ arn, key }) {
      const store = stores.get(arn);
      const value = store.items.get(key);
      if (value === undefined) throw new AwsError("ResourceNotFoundException", 404, `There is no key ${key}.`);
      return answer({ Key: key, Value: value, ...sizeOf(store) });
    },
    ListKeys({ arn, request }) {
      const { MaxResults, NextToken } = input(ListInput, Object.fromEntries(request.query));
      const all = [...stores.get(arn).items].filter(([key]) => key > NextToken).sort(([a], [b]) => (a < b ? -1 : 1));
      const page = all.slice(0, MaxResults);
      const last = all.length > page.length ? page.at(-1)?.[0] : undefined;
      return answer({ Items: page.map(([Key, Value]) => ({ Key, Value })), ...(last !== undefined && { NextToken: last }) });
    },
    PutKey({ arn, key, request }) {
      const { Value } = input(PutInput, parseInput(request.body));
      return written(stores.update(arn, request.headers["if-match"], { puts: [{ Key: key, Value }], deletes: [] }));
    },
    DeleteKey: ({ arn, key, request }) => written(stores.update(arn, request.headers["if-match"], { puts: [], deletes: [{ Key: key }] })),
    UpdateKeys({ arn, request }) {
      const { Puts, Deletes } = input(UpdateInput, parseInput(request.body));
      return written(stores.update(arn, request.headers["if-match"], { puts: Puts ?? [], deletes: Deletes ?? [] }));
    },
  };

  return async (request) => {
    const { method, path } = request;
    const run = operations[keyValueOperation(method, path) ?? ""];
    if (run === undefined) throw new AwsError("UnknownOperationException", 404, `The local KeyValueStore has no ${method} ${path}.`);
    const [, arn = "", , key = ""] = KEY_VALUE_PATH.exec(path) ?? [];
    return run({ arn: decoded(arn), key: decoded(key), request });
  };
};

const answer = (body: object, store?: KeyValueStore): AwsResponse => ({
  status: 200,
  headers: { "content-type": "application/json", ...(store && { etag: store.etag }) },
  body: JSON.stringify(body),
});

const sizeOf = ({ items, bytes }: KeyValueStore) => ({ ItemCount: items.size, TotalSizeInBytes: bytes });

const written = (store: KeyValueStore): AwsResponse => answer(sizeOf(store), store);

/** The refusal names the field and no value. */
const input = <S extends z.ZodType>(schema: S, given: unknown): z.output<S> => {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new AwsError("ValidationException", 400, wrong.join("; "));
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AwsError("ValidationException", 400, `"${part}" is not percent-encoded text.`);
  }
};
