import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity } from "electrodb";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";
import { conditionalWrite } from "../aws/conditional-write.ts";

const none = { casing: "none" } as const;

/** Who alone does something now, in the table of views. A lease that is not renewed ends by itself. */
export const leaseRows = (client: DynamoDBDocumentClient, table: string) => {
  const leases = new Entity(
    {
      model: { service: "shiplog", entity: "lease", version: "1" },
      attributes: {
        name: { type: "string", required: true },
        holder: { type: "string", required: true },
        /** milliseconds since 1970 */
        until: { type: "number", required: true },
      },
      indexes: { row: { pk: { field: "pk", composite: ["name"], ...none }, sk: { field: "sk", composite: [], ...none } } },
    },
    { client, table },
  );
  return {
    /** Takes or renews a lease; `false` where somebody else has it. */
    takeLease: (name: string, holder: string, now: number, until: number): Promise<boolean> =>
      conditionalWrite(
        leases
          .put({ name, holder, until })
          // nobody takes it for so long: a clock was ahead
          .where(
            (held, { notExists, lt, gt, eq }) =>
              `${notExists(held.until)} OR ${lt(held.until, now)} OR ${gt(held.until, until + MAX_CLOCK_SKEW_MS)} OR ${eq(held.holder, holder)}`,
          )
          .go(),
      ),
    /** Gives a lease back; nothing where it ended and somebody else has it. */
    giveLease: async (name: string, holder: string): Promise<void> => {
      await conditionalWrite(
        leases
          .delete({ name })
          .where((held, { eq }) => eq(held.holder, holder))
          .go(),
      );
    },
  };
};
