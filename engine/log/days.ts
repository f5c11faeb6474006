import { type DynamoDBClient, PutItemCommand, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { dayOf, type Item } from "./codec.ts";

/** The one partition of the event table that is no stream: an item for each day that has commits. Stored for ever. */
export const DAYS = "log";
/** Says that every commit's day is named: sorts behind every day. Before, no commit named its day. */
const COMPLETE = "complete";

/** Whether an item of the event table is a commit. */
export const isCommit = (item: Item): boolean => item.pk?.S !== DAYS;

/** Names the day of a position, before the first commit of that day is written: a day without a name is never read. */
export const nameDay = async (client: DynamoDBClient, table: string, position: string): Promise<void> => {
  await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: DAYS }, sk: { S: dayOf(position) } } }));
};

/** The last days that have a name, at most so many, newest first. */
export const newestDays = async (client: DynamoDBClient, table: string, limit: number): Promise<string[]> => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: "pk = :days",
      ExpressionAttributeValues: { ":days": { S: DAYS } },
      ScanIndexForward: false,
      // what says that all are named stands behind them
      Limit: limit + 1,
    }),
  );
  return Items.map(({ sk }) => sk?.S ?? "")
    .filter((day) => day !== COMPLETE)
    .slice(0, limit);
};

/** Days without a name, once every day has one: no reader of the log finds their commits. @param named the items of `DAYS` */
export const daysWithoutName = async (named: AsyncIterable<Item>, days: Iterable<string>): Promise<string[]> => {
  const names = new Set((await Array.fromAsync(named)).map(({ sk }) => sk?.S));
  return names.has(COMPLETE) ? [...days].filter((day) => !names.has(day)) : [];
};

export type Days = ReturnType<typeof logDays>;

/**
 * The days that have commits. A clock that is far off makes days far apart from each other: those between are not asked
 * for, and none is passed over because it seems to be still to come.
 */
export const logDays = (client: DynamoDBClient, table: string) => {
  /** days of commits that were written before days had names; looked for once, where that is not stored yet */
  let unnamed: Promise<readonly string[]> | undefined;

  const named = async (since: string): Promise<string[]> => {
    const names: string[] = [];
    let from: Item | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :days AND sk >= :since",
          ExpressionAttributeValues: { ":days": { S: DAYS }, ":since": { S: since } },
          ExclusiveStartKey: from,
        }),
      );
      for (const { sk } of page.Items ?? []) names.push(sk?.S ?? "");
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return names;
  };

  const scanned = async (): Promise<string[]> => {
    const days = new Set<string>();
    let from: Item | undefined;
    do {
      const page = await client.send(
        new ScanCommand({ TableName: table, ConsistentRead: true, ProjectionExpression: "gsi1pk", ExclusiveStartKey: from }),
      );
      for (const { gsi1pk } of page.Items ?? []) if (gsi1pk?.S !== undefined) days.add(gsi1pk.S.slice(0, gsi1pk.S.indexOf("#")));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return [...days];
  };
  const found = (): Promise<readonly string[]> => {
    unnamed ??= scanned();
    unnamed.catch(() => {
      unnamed = undefined;
    });
    return unnamed;
  };

  /** Days from the one of a position on, in order, as `2026-11-23`. */
  const from = async (position: string): Promise<string[]> => {
    const first = dayOf(position);
    const names = await named(first);
    if (names.at(-1) === COMPLETE) return names.slice(0, -1);
    return [...new Set([...names, ...(await found()).filter((day) => day >= first)])].sort();
  };

  return {
    /** The days between a position (included) and another (excluded), in order: milliseconds since 1970 of their midnights. */
    between: async (since: string, until: string): Promise<number[]> =>
      (await from(since)).map((day) => Date.parse(day)).filter((midnight) => midnight < Number(until)),
    /** Names the days of what was written before days had names, once: reading them then needs no look at the whole table. */
    complete: async (): Promise<void> => {
      if ((await named(COMPLETE)).length > 0) return;
      for (const day of await found()) await nameDay(client, table, String(Date.parse(day)));
      await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: DAYS }, sk: { S: COMPLETE } } }));
    },
  };
};
