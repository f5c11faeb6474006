import type { Table } from "../blueprint/stores.ts";
import { kept } from "./account.ts";

/** A table of `blueprint/stores.ts`: billed by request, restorable to any second of 35 days unless it says otherwise, undeletable where the stage is protected. */
export const table = (
  name: string,
  { name: physical, keys, primary, indexes, stream, expires, restorable }: Table,
  opts?: $util.ComponentResourceOptions,
) =>
  new sst.aws.Dynamo(
    name,
    {
      fields: { ...keys },
      primaryIndex: { hashKey: primary.hash, rangeKey: primary.range },
      globalIndexes: Object.fromEntries(
        Object.entries(indexes).map(([index, { hash, range }]) => [index, { hashKey: hash, rangeKey: range }]),
      ),
      ...(stream !== null && { stream }),
      ...(expires !== null && { ttl: expires }),
      deletionProtection: kept,
      transform: {
        table: {
          name: physical,
          serverSideEncryption: { enabled: true },
          ...(restorable === false && { pointInTimeRecovery: { enabled: false } }),
        },
      },
    },
    opts,
  );
