import { type EngineFunctionName, functionName } from "./engine-functions.ts";
import { type Consumer, consumers } from "./topology.ts";

/** Batches of one consumer at a time, where the account has room: a flood of events takes its turn. */
const BATCHES = 10;
/** SQS and Lambda take no fewer. */
const MIN_BATCHES = 2;

/** Executions that nobody else may have: a flood must take away neither the record nor who answers a person and moves an alias. */
const RESERVED: Partial<Record<EngineFunctionName, number>> = { relay: 10, api: 20, "flip-alias": BATCHES };
/** Lambda leaves so many to the functions of the account that reserve none, and refuses a reservation that would not. */
const UNRESERVED = 100;
/** Whoever else has reserved some in this account is not known here. */
const SPARE = 250;

/**
 * What of the account's concurrent executions is a function's alone; `undefined` where the account has too few for that.
 *
 * @param quota how many the account may have at a time: 1,000 as a rule, 10 where it is new
 */
export const reservedConcurrency = (name: EngineFunctionName, quota: number): number | undefined => {
  const all = Object.values(RESERVED).reduce((sum, one) => sum + one, 0);
  return quota >= UNRESERVED + SPARE + all ? RESERVED[name] : undefined;
};

/** All that is reserved in an account with that quota, by the name that each function has on AWS. */
export const reservations = (quota: number): ReadonlyMap<string, number> =>
  new Map(
    (Object.keys(RESERVED) as EngineFunctionName[]).flatMap((name) => {
      const reserved = reservedConcurrency(name, quota);
      return reserved === undefined ? [] : [[functionName(name), reserved] as const];
    }),
  );

/** How many batches a consumer works on at a time: all together at most half of what the account may run, two each at least. */
export const batchesAtOnce = ({ concurrency = BATCHES }: Pick<Consumer, "concurrency">, quota: number): number =>
  Math.min(concurrency, Math.max(MIN_BATCHES, Math.floor(quota / 2 / consumers.length)));
