import * as z from "zod";
import { siteConfig } from "../../blueprint/engine-config.ts";
import { Name } from "../../domain/kernel/identity.ts";
import { unlessMissing } from "../../engine/aws/errors.ts";
import { placeOf } from "../../engine/sweep/place.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { addresses, aggregates, back, edgeTable, events, functions, objects, rows, tags } from "../../engine/wiring/parts.ts";
import { sweep } from "./sweep.ts";

/** What the reconciler sends once an hour of each environment, and the API when a person asks. */
const SweepMessage = z.object({
  site: Name,
  environment: Name,
  actor: z.string().optional(),
  cause: z.string().optional(),
});

export const { wire, handler } = consumerOf(
  "sweep",
  { addresses, aggregates, back, edgeTable, events, functions, objects, rows, tags },
  ({ addresses, aggregates, back, edgeTable, events, functions, objects, rows, tags, config, clock, log }) =>
    sweep({
      addresses,
      aliases: addresses.aliases,
      aggregates,
      back,
      clock,
      edgeTable,
      events,
      functions,
      log,
      noteSettled: rows.noteSettled,
      now: clock.now,
      objects,
      place: (site, environment) => {
        const declared = siteConfig(config, site, environment);
        return declared && placeOf(config, declared);
      },
      settled: rows.settled,
      tags,
      versions: async (name) => (await unlessMissing(functions.versions(name))) ?? [],
    }),
  (body) => SweepMessage.parse(JSON.parse(body)),
);
