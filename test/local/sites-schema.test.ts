import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { Environment, Site } from "../../blueprint/sites.ts";
import { parseSites } from "../../blueprint/sites-file.ts";
import { sitesSchema } from "../../blueprint/sites-schema.ts";

const validate = new Ajv2020({ allErrors: true }).compile(sitesSchema());
const site = { name: "web", source: "apps/web", environments: [{ name: "production" }] };
const document = (change: object = {}): object => ({ sites: [{ ...site, ...change }] });

const root = join(import.meta.dirname, "../..");
const examples = ["README.md", "docs/sites-file.md"].flatMap((file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/```json\n(\{\s*"sites"[\s\S]*?)```/g)].map(([, text = ""]) => text),
);

/** Every description in a JSON Schema. */
const descriptions = (schema: unknown): string[] =>
  typeof schema !== "object" || schema === null
    ? []
    : Object.entries(schema).flatMap(([key, value]) =>
        key === "description" && typeof value === "string" ? [value] : descriptions(value),
      );

describe("the JSON Schema of the sites file", () => {
  it("takes what the documents show, with its own address in it, as the file's reader does", () => {
    expect(examples.length).toBeGreaterThan(1);
    for (const text of examples) {
      const told = { $schema: "./node_modules/@shiplog-deploy/shiplog/sites.schema.json", ...JSON.parse(text) };
      expect([validate(told), validate.errors]).toEqual([true, null]);
      expect(parseSites(JSON.stringify(told), "the example")).toEqual(parseSites(text, "the example"));
    }
  });

  it.each([
    { name: "Web" },
    { environments: [] },
    { variables: ["1ST"] },
    { checkPath: "health" },
    { buildTimeoutMinutes: 1 },
    { colour: "red" },
    { functions: { api: [] } },
  ])("refuses what the file's reader refuses: %o", (change) => {
    expect(validate(document(change))).toBe(false);
    expect(() => parseSites(JSON.stringify(document(change)), "it")).toThrow("is not a sites file");
  });

  it.each([
    [{ variables: ["AWS_REGION"] }, "must not begin with AWS_"],
    [{ environments: [{ name: "production" }, { name: "production" }] }, "an environment is named twice"],
    [{ functions: { api: ["/*"] } }, "must leave the other paths to the server"],
    [{ sizes: { server: { timeoutSeconds: 61 } } }, "must be 60 at most where answers are not streamed"],
  ])("names in a description what it has no words for: %o", (change, rule) => {
    expect(validate(document(change))).toBe(true);
    expect(() => parseSites(JSON.stringify(document(change)), "it")).toThrow(rule);
    expect(descriptions(sitesSchema()).filter((description) => description.includes(rule))).not.toEqual([]);
  });

  it("says what each field is", () => {
    const { sites } = sitesSchema().properties as { sites: { items: { properties: Record<string, { description?: string }> } } };
    const { properties } = sites.items;
    const { properties: ofEnvironment } = (properties.environments as { items: { properties: typeof properties } }).items;
    expect([Object.keys(properties).sort(), Object.keys(ofEnvironment).sort()]).toEqual([
      Object.keys(Site.shape).sort(),
      Object.keys(Environment.shape).sort(),
    ]);
    const untold = Object.entries({ ...properties, ...ofEnvironment }).filter(([, { description }]) => description === undefined);
    expect(untold.map(([name]) => name)).toEqual([]);
  });
});
