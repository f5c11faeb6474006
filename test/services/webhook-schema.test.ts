import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { webhookSchema } from "../../client/webhook-schema.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { TEST_TYPE } from "../../domain/webhook/news.ts";
import { notableTypes } from "../../domain/webhook/notable.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { signedHeaders, standardBody } from "../../engine/webhooks/standard-message.ts";
import { batchBody, batchesOf } from "../../services/feed/batch.ts";
import { news } from "../support/news.ts";

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema(webhookSchema(), "webhooks");
const checkerOf = (type: string, part: "payload" | "headers") => {
  const validate = ajv.compile({ $ref: `webhooks#/components/messages/${type}/${part}` });
  return (value: unknown): unknown => (validate(value) ? [] : validate.errors);
};
/** Events of every kind, as old releases wrote them. */
const golden = readdirSync(new URL("../golden/0.6.0/", import.meta.url))
  .filter((file) => file.endsWith(".ndjson"))
  .flatMap((file) =>
    readFileSync(new URL(`../golden/0.6.0/${file}`, import.meta.url), "utf8")
      .trimEnd()
      .split("\n"),
  )
  .flatMap((line) => eventsOf(JSON.parse(line) as Commit));
const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

describe("the document of webhooks", () => {
  it.each([...notableTypes, TEST_TYPE])("tells what is really sent of %s", (type) => {
    const commit = { sha: "0123abc" };
    for (const change of [{}, { replaced: { deployment: "dep_1", sequence: 1, commit }, flip: "rollback", step: "build", status: null }]) {
      const body = standardBody(news({ type, ...change }));
      expect(checkerOf(type, "payload")(JSON.parse(body))).toEqual([]);
      expect(checkerOf(type, "headers")(signedHeaders("msg_1", Date.now(), body, secrets))).toEqual([]);
    }
  });

  it("tells one type from another, and a message without its signature from one that has it", () => {
    const body = JSON.parse(standardBody(news({ type: "BuildStarted" })));
    expect(checkerOf("DeploymentFailed", "payload")(body)).not.toEqual([]);
    const { "webhook-signature": _, ...unsigned } = signedHeaders("msg_1", Date.now(), "{}", secrets);
    expect(checkerOf("BuildStarted", "headers")(unsigned)).not.toEqual([]);
  });

  it("tells what is really sent to a subscription, of whichever kind of stream", () => {
    const fed = golden.map((event) => ({ event, id: event.position }));
    expect(new Set(golden.map(({ stream }) => stream.split("/")[0])).size).toBeGreaterThan(4);
    const batches = [...batchesOf(fed)];
    expect(batches.flatMap(({ events }) => events)).toHaveLength(golden.length);
    for (const batch of batches) {
      const body = batchBody("wh_1", batch);
      expect(checkerOf("events", "payload")(JSON.parse(body))).toEqual([]);
      expect(checkerOf("events", "headers")(signedHeaders("msg_1", Date.now(), body, secrets))).toEqual([]);
    }
    const [one] = batches.map((batch) => JSON.parse(batchBody("wh_1", batch)));
    expect(checkerOf("events", "payload")({ ...one, type: "event" })).not.toEqual([]);
    expect(checkerOf("events", "payload")({ ...one, data: { ...one.data, events: [{ id: "1" }] } })).not.toEqual([]);
  });

  it("tells of every field that is sent", () => {
    const { data } = JSON.parse(standardBody(news()));
    const { schemas } = webhookSchema().components as { schemas: { StandardMessage: { properties: { data: { properties: object } } } } };
    expect(Object.keys(data).sort()).toEqual(Object.keys(schemas.StandardMessage.properties.data.properties).sort());
  });
});
