import type * as z from "zod";
import { eventSchemas } from "../domain/aggregates.ts";
import { PublishedFunction, Release, Request, ReusedBuild, Source } from "../domain/deployment/shapes.ts";
import { RecordedEnvelope } from "../domain/kernel/event.ts";
import { DeploymentId, Name } from "../domain/kernel/identity.ts";
import { type JsonSchema, namedSchemas } from "../domain/kernel/json-schema.ts";
import type { Upcasters } from "../domain/kernel/upcast.ts";

type Kinds = Readonly<Record<string, { readonly schemas: readonly z.ZodObject[]; readonly upcasters: Upcasters }>>;

/** `BuildStarted.v1` */
const nameOf = ({ shape }: z.ZodObject): string => {
  const { type, v } = shape as unknown as { type: z.ZodLiteral<string>; v: z.ZodLiteral<number> };
  return `${type.value}.v${v.value}`;
};

/** Versions that are in older logs alone: they are read as the next one. */
const olderOf = (upcasters: Upcasters): [string, JsonSchema][] =>
  Object.entries(upcasters).flatMap(([type, steps]) =>
    Object.keys(steps).map((v): [string, JsonSchema] => [
      `${type}.v${v}`,
      {
        type: "object",
        description: `Of older logs; read as version ${Number(v) + 1}`,
        properties: { type: { const: type }, v: { const: Number(v) }, body: { type: "object" } },
        required: ["type", "v", "body"],
      },
    ]),
  );

/** Every recorded event, of every type and version, as JSON Schema: as `GET /v1/events`, `shiplog events` and the bus have it. */
export const eventSchema = (kinds: Kinds = eventSchemas): JsonSchema => {
  const own = Object.values(kinds).flatMap(({ schemas }) => schemas.map((schema) => [nameOf(schema), schema] as const));
  const at = (name: string): string => `#/$defs/${name}`;
  const shared = { Recorded: RecordedEnvelope, DeploymentId, Name, PublishedFunction, Release, Request, ReusedBuild, Source };
  const older = Object.values(kinds).flatMap(({ upcasters }) => olderOf(upcasters));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Events of Shiplog",
    description: "One recorded event. A newer release may write types and versions that are not here, and fields that are not",
    $ref: at("Recorded"),
    oneOf: Object.entries(kinds).map(([category, { schemas, upcasters }]) => ({
      properties: { stream: { pattern: `^${category}/` } },
      oneOf: [...schemas.map(nameOf), ...olderOf(upcasters).map(([name]) => name)].map((name) => ({ $ref: at(name) })),
    })),
    $defs: { ...namedSchemas({ ...shared, ...Object.fromEntries(own) }, at), ...Object.fromEntries(older) },
  };
};
