import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventSchema } from "../../client/event-schema.ts";
import { webhookSchema } from "../../client/webhook-schema.ts";
import { eventSchemas } from "../../domain/aggregates.ts";
import type { JsonSchema } from "../../domain/kernel/json-schema.ts";
import { TEST_TYPE } from "../../domain/webhook/news.ts";
import { notableTypes, outcomeTypes } from "../../domain/webhook/notable.ts";
import { wording } from "../../domain/wording.ts";
import { code, fields, heading, joined, prose, table } from "./markdown.ts";

const root = join(import.meta.dirname, "../..");
type Node = { readonly properties: Record<string, Node>; readonly const?: unknown } & JsonSchema;

/** What is said of each kind of event in the comment above it. */
const commentsOf = (category: string): ReadonlyMap<string, string> => {
  const source = readFileSync(join(root, "domain", category, "events.ts"), "utf8");
  const found = [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\nexport const (\w+) = event\(/g)];
  return new Map(found.map(([, comment = "", name = ""]) => [name, comment.replace(/\n\s*\* ?/g, " ").trim()]));
};

/** Shapes that several events have: told once. */
const isShape = (name: string): boolean => !name.includes(".") && name !== "Recorded";
const link = (name: string): string => (isShape(name) ? `[${name}](#${name.toLowerCase()})` : code(name));

const eventSection = (name: string, schema: Node, comment: string | undefined): string => {
  const [type = "", v = ""] = name.split(".v");
  const notes = [
    ...((notableTypes as readonly string[]).includes(type) ? ["told by [webhooks](webhooks.md)"] : []),
    ...((wording as Readonly<Record<string, { why?: string }>>)[type]?.why === undefined ? [] : ["part of `shiplog why`"]),
  ];
  const body = schema.properties.body as JsonSchema;
  return joined(
    `### ${type}`,
    comment === undefined ? "" : prose(comment),
    `Version ${v}${notes.map((note) => `; ${note}`).join("")}.`,
    fields(body, link) || "It has no fields of its own.",
  ).trimEnd();
};

/** Every event of the log, with its fields. */
export const eventsPage = (): string => {
  const { $defs } = eventSchema() as { readonly $defs: Readonly<Record<string, Node>> };
  const ofCategory = (category: keyof typeof eventSchemas): string[] => {
    const comments = commentsOf(category);
    const types = eventSchemas[category].schemas.map((schema) => (schema.shape as unknown as { type: { value: string } }).type.value);
    const names = Object.keys($defs).filter((name) => types.includes(name.split(".v")[0] ?? ""));
    return [
      `## ${category.charAt(0).toUpperCase()}${category.slice(1)}`,
      `Streams \`${category}/…\`.`,
      ...names.map((name) => eventSection(name, $defs[name] as Node, comments.get(name.split(".v")[0] ?? ""))),
    ];
  };
  const shapes = Object.entries($defs).filter(([name]) => isShape(name));
  return joined(
    heading(
      "Events",
      "What the log has, as `shiplog events --json` and `GET /v1/events` give it. Events are stored for ever: a kind gets a new version, and is never changed. A newer release may write kinds, versions and fields that are not here. As JSON Schema: `shiplog schema events`.",
    ).trimEnd(),
    "## Every event",
    table(
      ["field", "what"],
      [
        ["`id`", "id of the commit, and the event's place in it: `….0`"],
        ["`stream`", "`deployment/<id>`, `environment/<site>/<environment>`, `webhook/<id>` or `letter/<id>`"],
        ["`version`", "of the commit: 1, 2, 3 …, without holes in the stream"],
        ["`index`", "place in its commit, from 0"],
        ["`type`, `v`", "the kind of event and its version, below"],
        ["`body`", "its fields, below"],
        ["`position`", "15 digits: orders the whole log, and a cause comes before its effects"],
        ["`at`", "when it was decided, ISO 8601"],
        ["`actor`, `origin`", "who decided, how they proved it and from where; `origin` is empty for what the engine does itself"],
        ["`cause`, `correlation`", "id of what it follows from, and of the first command of the story"],
      ],
    ),
    ...(Object.keys(eventSchemas) as (keyof typeof eventSchemas)[]).flatMap(ofCategory),
    "## Shapes",
    ...shapes.map(([name, schema]) =>
      joined(
        `### ${name}`,
        fields(schema, link) ||
          prose(`${(schema.description as string | undefined)?.replace(/^Refused with: /, "") ?? String(schema.type)}.`),
      ).trimEnd(),
    ),
  );
};

/** What an endpoint of kind `standard` is sent. */
export const webhooksPage = (): string => {
  const { components } = webhookSchema() as { components: { schemas: Record<string, JsonSchema> } };
  const { StandardHeaders = {}, StandardMessage = {}, SubscriptionMessage = {}, GitCommit = {} } = components.schemas;
  const shape = (name: string): string => `[${name}](#${name.toLowerCase()})`;
  return joined(
    heading(
      "Webhooks",
      "What an endpoint of kind `standard` is sent: messages of [Standard Webhooks 1.0.0](https://www.standardwebhooks.com), by POST. They come at least once and in any order. Any 2xx is an arrival, 410 disables the endpoint, everything else is tried again for three days. As AsyncAPI: `shiplog schema webhooks`. Endpoints are added with [`shiplog webhooks add`](cli.md#shiplog-webhooks-add).",
    ).trimEnd(),
    "## Headers",
    fields(StandardHeaders, shape),
    "## The body",
    "`data.version` orders the messages of one `data.stream`; the event itself is read with `data.id`.",
    fields(StandardMessage, shape),
    "## The body of a subscription",
    "What [`shiplog subscriptions add`](cli.md#shiplog-subscriptions-add) has sent, with the same headers: one request after another, in the log's order, again and for ever until each is answered with 2xx. [Bodies of events](events.md), [what a receiver does](../guides/slack-and-webhooks.md).",
    fields(SubscriptionMessage, shape),
    "## GitCommit",
    fields(GitCommit, shape),
    "## Types",
    "An endpoint hears of all of them, of those that `--type` names, or with `--outcomes` of those that are marked.",
    table(
      ["type", "outcome"],
      [
        ...notableTypes.map((type) => [
          `[${code(type)}](events.md#${type.toLowerCase()})`,
          (outcomeTypes as readonly string[]).includes(type) ? "yes" : "",
        ]),
        [code(TEST_TYPE), "sent by `shiplog webhooks test`"],
      ],
    ),
  );
};
