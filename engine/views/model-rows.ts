import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { generationOf, inGeneration } from "./generations.ts";
import { packed } from "./packed-text.ts";
import { keyOf, modelOf, streamOf, type ViewName, type Views } from "./read-models.ts";
import { type ReadStream, type Stored, viewIn, viewsIn } from "./row-shape.ts";

const none = { casing: "none" } as const;

/** A row's attributes: its key and those of its indexes are texts. */
type Row = Stored & { readonly version: number } & Readonly<Record<string, string>>;
type Texts = Readonly<Record<string, string>>;
type Page = { readonly data: readonly Row[]; readonly cursor: string | null };
export type Query = {
  begins(key: Texts): Query;
  lt(key: Texts): Query;
  go(options: { order?: "asc" | "desc"; limit?: number; cursor?: string | null; pages?: "all" }): Promise<Page>;
};

type Attributes = Texts | Readonly<Record<string, string | number>>;
type Conditions = { notExists(of: never): string; lt(of: never, than: number): string; ne(of: never, as: number): string };
/** `false`: it costs half, and what was written within the last second may be missing. */
export type Consistency = { readonly consistent: boolean };
/** ElectroDB's entity, as far as it is used: its own type cannot say what a plan says. */
type RowEntity = {
  get(key: Texts): { go(options: Consistency): Promise<{ data: unknown }> };
  get(keys: readonly Texts[]): { go(options: { consistent: true }): Promise<{ data: readonly Row[]; unprocessed: readonly Texts[] }> };
  put(item: Attributes): {
    params(): unknown;
    where(condition: (of: { version: never; shape: never }, is: Conditions) => string): { go(): Promise<unknown> };
  };
  readonly query: Readonly<Record<string, (of: Texts) => Query>>;
};

/** What a table may leave out of an answer for want of throughput is asked for again so often. */
const BATCH_TRIES = 8;

/** The entity of a read model, as its plan says. */
export const rowEntity = (client: DynamoDBDocumentClient, table: string, name: ViewName): RowEntity => {
  const { entity, key, indexes } = modelOf(name).plan;
  const texts = new Set([key[0], ...Object.values(indexes).flatMap(({ partition, sort }) => [partition, sort])]);
  return new Entity(
    {
      model: { service: "shiplog", entity, version: "1" },
      attributes: {
        ...Object.fromEntries([...texts].map((text) => [text, { type: "string", required: true } as const])),
        version: { type: "number", required: true },
        /** of the view; rows of the first engines have none */
        shape: { type: "number" },
        view: { type: "string", required: true },
      },
      indexes: {
        row: { pk: { field: "pk", composite: [key[0]], ...none }, sk: { field: "sk", composite: [], ...none } },
        ...Object.fromEntries(
          Object.entries(indexes).map(([index, { index: gsi, partition, sort }]) => [
            index,
            {
              index: gsi,
              pk: { field: `${gsi}pk`, composite: [partition], ...none },
              sk: { field: `${gsi}sk`, composite: [sort], ...none },
            },
          ]),
        ),
      },
    },
    { client, table },
  ) as unknown as RowEntity;
};

/** The attributes of a row. Those that find rows are of its generation. */
export const attributesOf = <K extends ViewName>(name: K, generation: number, view: Views[K]) => {
  const { plan, shape } = modelOf(name);
  const [key, of] = plan.key;
  const finding = new Set([key, ...Object.values(plan.indexes).map(({ partition }) => partition)]);
  const texts = Object.entries({ ...plan.indexed(view), [key]: of(view) });
  return {
    ...Object.fromEntries(texts.map(([text, value]) => [text, finding.has(text) ? inGeneration(generation, value) : value])),
    version: view.version,
    shape,
    view: plan.isPacked ? packed(JSON.stringify(view)) : JSON.stringify(view),
  };
};

/** The rows of one read model in the table of views: one generation of them. */
export const modelRows = <K extends ViewName>(client: DynamoDBDocumentClient, table: string, read: ReadStream, name: K) => {
  const entity = rowEntity(client, table, name);
  const { plan, shape: own } = modelOf(name);
  const [key] = plan.key;

  return (generation: number) => {
    const rowOf = async (stream: string, options: Consistency = { consistent: true }): Promise<Row | null> =>
      (await entity.get({ [key]: inGeneration(generation, keyOf(name, stream)) }).go(options)).data as Row | null;

    /** `undefined` where it was never projected, or in another shape. */
    const get = async (stream: string): Promise<Views[K] | undefined> => viewIn(name, await rowOf(stream));

    /** Writes a row if nobody wrote a newer one of this shape; `false` where somebody did. */
    const put = (view: Views[K]): Promise<boolean> =>
      conditionalWrite(
        entity
          .put(attributesOf(name, generation, view))
          .where(
            ({ version, shape }, { notExists, lt, ne }) =>
              `${notExists(version)} OR ${lt(version, view.version)} OR ${notExists(shape)} OR ${ne(shape, own)}`,
          )
          .go(),
      );

    const views = viewsIn(read, name, { get, put });
    /** The views in rows; one of another shape is made anew. */
    const viewsOf = (rows: readonly Row[]): Promise<Views[K][]> =>
      views(rows.map((row) => ({ row, stream: streamOf(name, generationOf(row[key] ?? "").key) })));

    return {
      get,
      put,
      viewsOf,
      /** `undefined` where it was never projected; one of another shape is made anew. */
      current: async (stream: string, options?: Consistency): Promise<Views[K] | undefined> => {
        const row = await rowOf(stream, options);
        return row === null ? undefined : (await viewsOf([row]))[0];
      },
      /** Those of many streams at once, a hundred in a request; without what was never projected, in no order. */
      many: async (streams: readonly string[]): Promise<Views[K][]> => {
        const rows: Row[] = [];
        let keys: readonly Texts[] = streams.map((stream) => ({ [key]: inGeneration(generation, keyOf(name, stream)) }));
        for (let tries = 0; keys.length > 0; tries++) {
          if (tries === BATCH_TRIES) throw new Error(`${keys.length} rows of ${name} were left out of ${BATCH_TRIES} answers`);
          const { data, unprocessed } = await entity.get(keys).go({ consistent: true });
          rows.push(...data);
          keys = unprocessed;
        }
        return viewsOf(rows);
      },
      /** Rows by one of the plan's indexes; those whose sort key begins so, or comes before that. */
      by: (index: string, partition: string, { begins, before }: { readonly begins?: string; readonly before?: string } = {}): Query => {
        const { partition: attribute, sort } = plan.indexes[index] as { partition: string; sort: string };
        const query = (entity.query[index] as (of: Texts) => Query)({ [attribute]: inGeneration(generation, partition) });
        const sorted = (value: string): Texts => ({ [sort]: sort === key ? inGeneration(generation, value) : value });
        if (begins !== undefined) return query.begins(sorted(begins));
        return before === undefined ? query : query.lt(sorted(before));
      },
    };
  };
};
