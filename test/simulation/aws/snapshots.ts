import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../../engine/log/codec.ts";
import type { World } from "../world/world.ts";

type Versions = { readonly now: Item; readonly before: Item | undefined };
type Input = {
  ConditionExpression?: string;
  ExpressionAttributeValues?: Item;
  Item: Item;
  Key: Item;
  ConsistentRead?: boolean;
  RequestItems: Record<string, { PutRequest: { Item: Item } }[]>;
};

type Asked = { readonly Keys?: Item[]; readonly ConsistentRead?: boolean };

/** The table of snapshots: what is in it may be old, damaged or gone at any time, and nothing may depend on it. */
export const snapshotsOf = (world: World) => {
  const streams = new Map<string, Map<string, Versions>>();
  const put = (item: Item): void => {
    const rows = streams.get(item.pk?.S ?? "") ?? new Map<string, Versions>();
    streams.set(item.pk?.S ?? "", rows);
    const sk = item.sk?.S ?? "";
    rows.set(sk, { now: item, before: rows.get(sk)?.now });
  };
  const isState = (sk: string): boolean => sk.startsWith("state/");
  /** A state that is not what its stream folds to, as a hand, a disk or another release leaves it. */
  const damaged = (item: Item): Item => {
    const bytes = item.state?.B ?? new Uint8Array();
    return { ...item, ...(bytes.length % 2 === 0 ? { version: { N: "1" } } : { state: { B: bytes.slice(0, bytes.length / 2) } }) };
  };

  return {
    api: {
      PutItem: ({ Item, ConditionExpression, ExpressionAttributeValues }: Input): void => {
        const there = streams.get(Item.pk?.S ?? "")?.get(Item.sk?.S ?? "")?.now;
        if (ConditionExpression !== undefined && there?.hash?.S !== ExpressionAttributeValues?.[":was"]?.S)
          throw new ConditionalCheckFailedException({ $metadata: {}, message: "it is another by now" });
        put(isState(Item.sk?.S ?? "") && world.faults.strikes("snapshot-damaged") ? damaged(Item) : Item);
      },
      BatchGetItem: ({ RequestItems }: Input) => {
        const [[table = "", { Keys = [], ConsistentRead = false } = {}] = []] = Object.entries(
          RequestItems as unknown as Record<string, Asked>,
        );
        const found = Keys.map(({ pk, sk }) => {
          const row = streams.get(pk?.S ?? "")?.get(sk?.S ?? "");
          return !ConsistentRead && world.faults.strikes("stale-read") ? row?.before : row?.now;
        }).filter((item) => item !== undefined);
        return { Responses: { [table]: found } };
      },
      BatchWriteItem: ({ RequestItems }: Input) => {
        const [[table = "", requests = []] = []] = Object.entries(RequestItems);
        const left = requests.length > 1 && world.faults.strikes("partial-put") ? requests.slice(-1) : [];
        for (const { PutRequest } of requests.slice(0, requests.length - left.length)) put(PutRequest.Item);
        return { UnprocessedItems: left.length > 0 ? { [table]: left } : {} };
      },
      GetItem: ({ Key, ConsistentRead }: Input) => {
        const stream = Key.pk?.S ?? "";
        const sk = Key.sk?.S ?? "";
        if (isState(sk) && streams.has(stream) && world.faults.strikes("snapshot-dropped")) streams.delete(stream);
        const row = streams.get(stream)?.get(sk);
        return { Item: ConsistentRead !== true && world.faults.strikes("stale-read") ? row?.before : row?.now };
      },
    } as Record<string, (input: Input) => unknown>,
  };
};
