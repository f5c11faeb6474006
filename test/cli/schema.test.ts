import SwaggerParser from "@apidevtools/swagger-parser";
import asyncapi from "@asyncapi/specs";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { sitesSchema } from "../../blueprint/sites-schema.ts";
import { runCli } from "./support/run-cli.ts";

/** What the command prints where there is no engine and no network to reach one by. */
const printed = async (of: string): Promise<Record<string, unknown>> => {
  const { code, out, err } = await runCli(["schema", of], { env: { SHIPLOG_URL: "", SHIPLOG_TOKEN: "" } });
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out);
};

describe("shiplog schema prints, without an engine,", () => {
  it("the API as OpenAPI", async () => {
    const document = await printed("api");
    await SwaggerParser.validate(structuredClone(document) as never);
    expect(Object.keys(document.paths as object)).toContain("/v1/deployments/{id}");
  });

  it("the sites file as JSON Schema", async () => {
    expect(await printed("sites")).toEqual(sitesSchema());
  });

  it("events as JSON Schema", async () => {
    const document = await printed("events");
    expect(new Ajv2020({ strict: false }).validateSchema(document)).toBe(true);
    expect(Object.keys(document.$defs as object)).toContain("DeploymentQueued.v1");
  });

  it("webhooks as AsyncAPI", async () => {
    const valid = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(asyncapi.schemasWithoutId["3.0.0"] as object);
    const document = await printed("webhooks");
    expect([valid(document), valid.errors]).toEqual([true, null]);
  });

  it("nothing else, and says what there is", async () => {
    const { code, out, err } = await runCli(["schema", "tables"]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("api, events, webhooks, sites");
  });
});
