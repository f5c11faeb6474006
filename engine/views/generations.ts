import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import * as z from "zod";
import { conditionalWrite } from "../aws/conditional-write.ts";
import { type ViewName, viewNames } from "./read-models.ts";

const none = { casing: "none" } as const;
const generation = z.number().int().nonnegative();
const first = generation.default(0);

/**
 * Which rows count. Every read model has generations of rows beside each other in one table; readers see the live one,
 * and the projection keeps the live one and the one being built. A number is never used twice. Stored for ever: a read model
 * that is younger than the pointer is in its first generation, and one that only a newer engine knows stays where it is.
 */
export const Generations = z.object({
  live: z.object(Object.fromEntries(viewNames.map((name) => [name, first])) as Record<ViewName, typeof first>).catchall(generation),
  building: z.object({ generation, views: z.array(z.string()) }).nullable(),
  /** the highest number ever given */
  last: generation,
});
export type Generations = z.infer<typeof Generations>;

/** Before the first rebuild: rows whose keys carry no generation. */
const FIRST: Generations = Generations.parse({ live: {}, building: null, last: 0 });

/** A key as it is in a generation. No name or id has a `~`. */
export const inGeneration = (number: number, key: string): string => (number === 0 ? key : `${number}~${key}`);
/** `3~dep_01J…` → generation 3, key `dep_01J…` */
export const generationOf = (key: string): { generation: number; key: string } => {
  const [, number, rest] = /^(\d+)~(.*)$/s.exec(key) ?? [];
  return number === undefined || rest === undefined ? { generation: 0, key } : { generation: Number(number), key: rest };
};

/** One text with a revision: written only by who read the revision before. */
export type Register = { readonly value: string; readonly revision: number };

/** What is remembered about the read models themselves: which generation counts, and how far a rebuild has come. */
export const generationRows = (client: DynamoDBDocumentClient, table: string) => {
  const registers = new Entity(
    {
      model: { service: "shiplog", entity: "register", version: "1" },
      attributes: {
        name: { type: "string", required: true },
        value: { type: "string", required: true },
        revision: { type: "number", required: true },
      },
      indexes: { row: { pk: { field: "pk", composite: ["name"], ...none }, sk: { field: "sk", composite: [], ...none } } },
    },
    { client, table },
  );
  const read = async (name: string): Promise<Register | undefined> => {
    const { data } = await registers.get({ name }).go({ consistent: true });
    return data ?? undefined;
  };
  const swap = (name: string, before: number, value: string): Promise<boolean> =>
    conditionalWrite(
      registers
        .put({ name, value, revision: before + 1 })
        .where(({ revision }, { notExists, eq }) => (before === 0 ? notExists(revision) : eq(revision, before)))
        .go(),
    );

  return {
    /** Never stale: who writes under an old answer would write rows that nobody reads. */
    generations: async (): Promise<Generations> => {
      const found = await read("generations");
      return found === undefined ? FIRST : Generations.parse(JSON.parse(found.value));
    },
    /** Changes the pointer, run again where somebody else changed it meanwhile; `change` answers `undefined` to leave it. */
    changeGenerations: async (change: (now: Generations) => Generations | undefined): Promise<Generations> => {
      for (;;) {
        const found = await read("generations");
        const now = found === undefined ? FIRST : Generations.parse(JSON.parse(found.value));
        const next = change(now);
        if (next === undefined) return now;
        if (await swap("generations", found?.revision ?? 0, JSON.stringify(next))) return next;
      }
    },
    /** The rebuild that is under way or was cut off. */
    rebuild: (): Promise<Register | undefined> => read("rebuild"),
    /** Writes it where nobody else has since `revision` (0: there was none); `false` where somebody has. */
    setRebuild: (revision: number, value: string): Promise<boolean> => swap("rebuild", revision, value),
  };
};
