import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { PSEUDONYMS } from "../../domain/kernel/identity.ts";
import { firstOf, storable } from "../../domain/kernel/text.ts";
import { conditionalWrite } from "../aws/conditional-write.ts";
import type { Clock } from "../kit/clock.ts";

/** `since`: when the log first had to do with them, in ISO 8601. */
export type KnownPerson = { readonly id: string; readonly name: string; readonly since: string };
/** The same text with names in place of the pseudonyms that are known. */
export type Naming = (text: string) => string;
export type People = ReturnType<typeof people>;

/** All of them: a process reads them by one query. */
const PARTITION = "people";
/** Of a name, in UTF-16 units. */
const MOST = 200;
/** So long a process goes on showing a name that another one has erased. Milliseconds. */
export const SHOWN_MS = 30_000;
/** Pseudonyms without a name that a process remembers as such: most are of people who were forgotten. */
const NAMELESS = 10_000;

/** The names of people, beside a log that has their pseudonyms: the only place that knows who is who. What is removed is forgotten. */
export const people = (
  client: DynamoDBClient,
  table: string,
  { now }: Pick<Clock, "now">,
  log: (line: Readonly<Record<string, unknown>>) => void,
) => {
  const keyOf = (name: string) => ({ pk: { S: PARTITION }, sk: { S: name } });
  /** by pseudonym, when it was looked for in vain */
  const nameless = new Map<string, number>();
  let known: { readonly at: number; readonly names: Promise<ReadonlyMap<string, string>> } | undefined;

  /** In the order of their names, strongly consistent. */
  const all = async (): Promise<KnownPerson[]> => {
    const found: KnownPerson[] = [];
    let from: QueryCommandInput["ExclusiveStartKey"];
    do {
      const { Items = [], LastEvaluatedKey } = await page(from);
      for (const { sk, person, since } of Items) found.push({ id: person?.S ?? "", name: sk?.S ?? "", since: since?.S ?? "" });
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return found;
  };
  const page = (from: QueryCommandInput["ExclusiveStartKey"]) =>
    client.send(
      new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: "pk = :people",
        ExpressionAttributeValues: { ":people": { S: PARTITION } },
        ExclusiveStartKey: from,
      }),
    );

  const namesOf = async (): Promise<ReadonlyMap<string, string>> => new Map((await all()).map(({ id, name }) => [id, name]));
  /** What was read within a time. */
  const within = (ms: number): Promise<ReadonlyMap<string, string>> => {
    if (known === undefined || now() - known.at >= ms || now() < known.at) {
      const names = namesOf();
      const read = { at: now(), names };
      known = read;
      // who comes next tries again
      names.catch(() => {
        if (known === read) known = undefined;
      });
    }
    return known.names;
  };

  /** The names that are known; one that may be new is looked for at once. */
  const namesFor = async (ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const names = await within(SHOWN_MS);
    if (ids.every((id) => names.has(id) || now() - (nameless.get(id) ?? 0) < SHOWN_MS)) return names;
    const newer = await within(0);
    if (nameless.size > NAMELESS) nameless.clear();
    for (const id of ids) if (!newer.has(id)) nameless.set(id, now());
    return newer;
  };

  return {
    all,

    /**
     * The pseudonym of who is named so, for good, until they are forgotten. Whoever is named for the first time is given one.
     *
     * @param id `per_…`, that nobody has yet
     */
    pseudonymOf: async (given: string, id: string): Promise<string> => {
      const name = firstOf(storable(given).trim(), MOST);
      const Item = { ...keyOf(name), person: { S: id }, since: { S: new Date(now()).toISOString() } };
      for (;;) {
        const { Item: found } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(name), ConsistentRead: true }));
        if (found?.person?.S !== undefined) return found.person.S;
        const put = new PutItemCommand({ TableName: table, Item, ConditionExpression: "attribute_not_exists(pk)" });
        if (await conditionalWrite(client.send(put))) return id;
      }
    },

    /** JSON with names in place of the pseudonyms that are known, or as it is where names cannot be read. Costs nothing where it has none. */
    inJson: async (json: string): Promise<string> => {
      const ids = [...new Set(json.match(PSEUDONYMS) ?? [])];
      if (ids.length === 0) return json;
      try {
        const names = await namesFor(ids);
        return json.replace(PSEUDONYMS, (id) => JSON.stringify(names.get(id) ?? id).slice(1, -1));
      } catch (error) {
        log({ level: "error", message: "names could not be read: people are told by their pseudonyms", reason: String(error) });
        return json;
      }
    },

    /** For many texts at once, names as they are now. */
    reading: async (): Promise<Naming> => {
      const names = await within(0);
      return (text) => text.replace(PSEUDONYMS, (id) => names.get(id) ?? id);
    },

    /** Erases a name: nothing says any more whose pseudonym it was. */
    forget: async (name: string): Promise<void> => {
      await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(name) }));
      known = undefined;
    },
  };
};
