import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { work } from "./support/bundle-config.ts";
import { changed, graphOf, stages } from "./support/graph.ts";
import { prepareTerraform, translate, validate } from "./support/terraform.ts";

const folder = mkdtempSync(join(work, "terraform-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const prepared = prepareTerraform(folder);

/** What AWS has since the newest provider that this was tried with. */
const NEWER = ["aws_lambda_permission.invoked_via_function_url"];
const NEWER_VALUES = ["got ECC_NIST_EDWARDS25519"];
const problems = (said: readonly string[]): string[] => said.filter((text) => !NEWER_VALUES.some((value) => text.includes(value)));

it.for(stages)("Terraform's AWS provider accepts every value of the stage %s", async (stage, { skip }) => {
  const ready = await prepared;
  if ("missing" in ready) return skip(ready.missing);
  const translated = translate(graphOf(stage), ready.schemas);
  expect(translated.unknown.filter((name) => !NEWER.includes(name))).toEqual([]);
  expect(Object.keys(translated.resources).length).toBeGreaterThan(20);
  expect(problems(await validate(folder, translated))).toEqual([]);
});

it("Terraform's AWS provider names a value out of its range", async ({ skip }) => {
  const ready = await prepared;
  if ("missing" in ready) return skip(ready.missing);
  const hidden = changed(graphOf("production"), "queue", "shiplog-advance", (inputs) => ({
    inputs: { ...inputs, visibilityTimeoutSeconds: 13 * 3600 },
  }));
  expect(problems(await validate(folder, translate(hidden, ready.schemas)))).toEqual([
    expect.stringContaining("visibility_timeout_seconds"),
  ]);
});
