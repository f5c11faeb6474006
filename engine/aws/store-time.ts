import { type DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";

/** This machine's clock is far from the store's: what it dates would be out of order for as long as it is off. Nothing was written. */
export class ClockWrong extends Error {
  override readonly name = "ClockWrong";
}

const WRITES = new Set(["PutItemCommand", "UpdateItemCommand", "DeleteItemCommand", "BatchWriteItemCommand", "TransactWriteItemsCommand"]);

/**
 * Compares the clock with the `Date` of every answer of the store, and refuses to write where they are more than five
 * minutes apart. Where no answer was seen yet, or the last one said so, one is asked for first: only its date counts.
 *
 * @param now milliseconds since 1970
 */
export const withStoreTime = (client: DynamoDBClient, now: () => number = Date.now): DynamoDBClient => {
  /** milliseconds that this clock was ahead of the store's at the last answer */
  let ahead: number | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const asked = now();
      const answer = await next(args);
      const { headers = {} } = answer.response as { headers?: Readonly<Record<string, string>> };
      const date = Date.parse(headers.date ?? "");
      if (!Number.isNaN(date)) ahead = aheadOf(date, asked, now());
      return answer;
    },
    { step: "deserialize", priority: "low", name: "noteStoreTime", override: true },
  );
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        if (!WRITES.has(commandName)) return next(args);
        // what it answers may be a refusal: it has a date, too
        if (ahead === undefined || isWrong(ahead)) await client.send(new ListTablesCommand({ Limit: 1 })).catch(() => undefined);
        if (ahead !== undefined && isWrong(ahead)) throw new ClockWrong(clockIsWrong(ahead, now()));
        return next(args);
      },
    { step: "initialize", name: "refuseWrongClock", override: true },
  );
  return client;
};

/** The answer was dated between asking and getting it, however long this process stood still meanwhile. */
const aheadOf = (date: number, asked: number, got: number): number => (date > got ? got - date : date < asked ? asked - date : 0);
const isWrong = (ahead: number): boolean => Math.abs(ahead) > MAX_CLOCK_SKEW_MS;

const clockIsWrong = (ahead: number, now: number): string => {
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  const here = new Date(now).toISOString();
  const there = new Date(now - ahead).toISOString();
  return `This machine's clock says ${here}, which is ${minutes} minutes ${ahead > 0 ? "ahead of" : "behind"} the store's (${there}): nothing is written. Set the clock and try again`;
};
