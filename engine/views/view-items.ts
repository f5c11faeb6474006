import { hash } from "node:crypto";
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { generationOf, inGeneration } from "./generations.ts";
import { attributesOf, rowEntity } from "./model-rows.ts";
import { unpacked } from "./packed-text.ts";
import { keyOf, modelOf, streamOf, type ViewName, type Views, viewNames } from "./read-models.ts";

export type Item = Record<string, AttributeValue>;
/** A row as the table holds it, and whose it is. */
export type FoundRow = { readonly view: ViewName; readonly generation: number; readonly stream: string; readonly item: Item };

/** Requests that one BatchWriteItem takes. */
export const BATCH = 25;

type Attributes = Readonly<Record<string, string | number>>;
type Encode = (attributes: Attributes) => Item;

export type ViewItems = ReturnType<typeof viewItems>;

/**
 * The rows of the read models in bulk: as items, by the batch and by the scan. ElectroDB's path for every single row costs
 * more than the request itself, so keys come from a template that each entity gives once; a test holds these items
 * against the entities' own.
 */
export const viewItems = (client: DynamoDBClient, table: string) => {
  const documents = DynamoDBDocumentClient.from(client);
  const encode = Object.fromEntries(
    viewNames.map((name) => [name, encoder(textsOf(name), (marks) => rowEntity(documents, table, name).put({ ...marks, ...REST }))]),
  ) as Readonly<Record<ViewName, Encode>>;

  const itemOf = <K extends ViewName>(name: K, generation: number, row: Views[K]): Item =>
    encode[name](attributesOf(name, generation, row));

  const send = async (requests: readonly WriteRequest[], pause: (tries: number) => Promise<void>): Promise<void> => {
    let left: WriteRequest[] = [...requests];
    for (let tries = 1; left.length > 0; tries++) {
      const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }));
      left = UnprocessedItems?.[table] ?? [];
      if (left.length > 0) await pause(tries);
    }
  };

  return {
    itemOf,
    /** Writes at most 25 rows, whatever is there. `pause` waits before what was throttled is tried again. */
    write: (items: readonly Item[], pause: (tries: number) => Promise<void>): Promise<void> =>
      send(
        items.map((Item) => ({ PutRequest: { Item } })),
        pause,
      ),
    /** Removes at most 25 rows. */
    remove: (items: readonly Item[], pause: (tries: number) => Promise<void>): Promise<void> =>
      send(
        items.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } as Item } })),
        pause,
      ),
    /** One row as it is, strongly consistent; `undefined` where there is none. */
    find: async (name: ViewName, generation: number, stream: string): Promise<Item | undefined> => {
      const key = inGeneration(generation, keyOf(name, stream));
      const blank = Object.fromEntries(textsOf(name).map((text) => [text, ""]));
      const { pk, sk } = encode[name]({ ...blank, ...REST, [modelOf(name).plan.key[0]]: key });
      const { Item } = await client.send(new GetItemCommand({ TableName: table, ConsistentRead: true, Key: { pk, sk } as Item }));
      return Item;
    },
    /** Every row of every read model and generation in one of the table's parts, page by page, strongly consistent. */
    scan: async function* (part: number, parts: number): AsyncGenerator<FoundRow[]> {
      let from: Item | undefined;
      do {
        const page = await client.send(
          new ScanCommand({ TableName: table, ConsistentRead: true, Segment: part, TotalSegments: parts, ExclusiveStartKey: from }),
        );
        yield (page.Items ?? []).flatMap(found);
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    },
  };
};

/** The view of a row as JSON, packed or not; where it was cut or overwritten, what is there. */
export const viewText = ({ view }: Item): string => {
  const text = view?.S ?? "";
  try {
    return unpacked(text);
  } catch {
    return text;
  }
};

/** Says the same of two items exactly where every attribute is the same. A view that another zlib packed is the same view. */
export const digestOf = (item: Item): string => {
  const names = Object.keys(item).sort();
  const textOf = (name: string): string | undefined => (name === "view" ? viewText(item) : (item[name]?.S ?? item[name]?.N));
  return hash("sha256", names.map((name) => `${name}=${textOf(name)}`).join("\n"), "base64url");
};

const REST = { version: 0, shape: 0, view: "" };

/** The attributes of a read model's rows that are texts. */
const textsOf = (name: ViewName): string[] => {
  const { key, indexes } = modelOf(name).plan;
  return [...new Set([key[0], ...Object.values(indexes).flatMap(({ partition, sort }) => [partition, sort])])];
};

const byEntity = new Map(viewNames.map((name) => [modelOf(name).plan.entity, name]));

const found = (item: Item): FoundRow[] => {
  const name = byEntity.get(item.__edb_e__?.S ?? "");
  if (name === undefined) return [];
  const { generation, key } = generationOf(item[modelOf(name).plan.key[0]]?.S ?? "");
  return [{ view: name, generation, stream: streamOf(name, key), item }];
};

/** Learns from one sample how the entity makes its keys of these attributes. */
const encoder = (names: readonly string[], put: (marks: Record<string, string>) => { params(): unknown }): Encode => {
  const mark = (name: string): string => `\u0001${name}\u0001`;
  const { Item: sample } = put(Object.fromEntries(names.map((name) => [name, mark(name)]))).params() as {
    Item: Record<string, string | number>;
  };
  const fields = Object.entries(sample)
    .filter(([field]) => !(field in REST))
    .map(([field, text]) => {
      const [before = "", name, after = ""] = String(text).split("\u0001");
      return { field, before, name, after };
    });
  return (attributes) => {
    const item: Item = {
      version: { N: String(attributes.version) },
      shape: { N: String(attributes.shape) },
      view: { S: String(attributes.view) },
    };
    for (const { field, before, name, after } of fields)
      item[field] = { S: name === undefined ? before : `${before}${attributes[name]}${after}` };
    return item;
  };
};
