import { Entity } from "electrodb";

/**
 * The event table's one entity: the single place where its key and attribute names come from.
 * `casing: "none"` on every key: ElectroDB lower-cases keys by default, and ids are not lower-case.
 */
/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: ElectroDB's own templates */
export const commitEntity = (table: string) =>
  new Entity(
    {
      model: { service: "shiplog", entity: "commit", version: "1" },
      attributes: {
        stream: { type: "string", required: true },
        version: { type: "number", required: true, padding: { length: 10, char: "0" } },
        id: { type: "string", required: true },
        body: { type: "string", required: true },
        cause: { type: "string", required: true },
        correlation: { type: "string", required: true },
        actor: { type: "string", required: true },
        origin: { type: "string", required: true },
        at: { type: "string", required: true },
        position: { type: "string", required: true },
        prev: { type: "string", required: true },
        hash: { type: "string", required: true },
        day: { type: "string", required: true },
        shard: { type: "number", required: true },
      },
      indexes: {
        stream: {
          pk: { field: "pk", composite: ["stream"], template: "${stream}", casing: "none" },
          // a key of one number would be written as a number, without its padding
          sk: { field: "sk", composite: ["version"], template: "${version}", casing: "none", cast: "string" },
        },
        log: {
          index: "log",
          pk: { field: "gsi1pk", composite: ["day", "shard"], template: "${day}#${shard}", casing: "none" },
          sk: {
            field: "gsi1sk",
            composite: ["position", "stream", "version"],
            template: "${position}#${stream}#${version}",
            casing: "none",
          },
        },
      },
    },
    { table },
  );

/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: ElectroDB's own templates */

/** Shards of one day of the log: each is a partition of its own, so the log can be read eight times in parallel. */
export const SHARDS = 8;
