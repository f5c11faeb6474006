import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readKnown } from "../../domain/aggregates.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { categories, categoryOf } from "../../domain/kernel/identity.ts";
import { factsOf, wording } from "../../domain/wording.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { release } from "../support/samples.ts";

const golden = new URL("../golden/", import.meta.url);
/** Every kind of event, as old releases wrote it. */
const recorded = readdirSync(golden)
  .filter((folder) => /^\d+\.\d+\.\d+$/.test(folder))
  .flatMap((release) => readdirSync(new URL(`${release}/`, golden)).map((file) => new URL(`${release}/${file}`, golden)))
  .flatMap((file) => readFileSync(file, "utf8").trimEnd().split("\n"))
  .flatMap((line) => eventsOf(JSON.parse(line) as Commit));

describe("the wording of events", () => {
  it.each(Object.keys(wording))("tells %s of every release in a line, and nothing of it is undefined", (type) => {
    const told = recorded
      .filter((event) => event.type === type)
      .flatMap((event) => readKnown(categoryOf(event.stream), [event]).map(factsOf));
    expect(told.length).toBeGreaterThan(0);
    for (const line of told) {
      expect(line).not.toMatch(/undefined|null|\[object|\n/);
      expect(line.length).toBeLessThan(600);
    }
  });
  it("cuts what people wrote to a length that fits a line, and keeps its beginning", () => {
    const facts = factsOf({ type: "DeploymentCancelled", v: 1, body: { reason: "x".repeat(2_000) } });
    expect(facts).toMatch(/^x{100,160}…$/);
  });
  it("says of the 400 of an image function that it is the answer of one that works, and of no other", () => {
    const check = (role: "server" | "image", status: number) => ({ role, function: "f", version: "1", status, ms: 12.4 });
    const checks = [check("server", 200), check("image", 400), check("server", 400), check("image", 200)];
    expect(factsOf({ type: "ChecksPassed", v: 1, body: { release: release(1), checks } })).toBe(
      "server 200 in 12 ms, image 400 (expected) in 12 ms, server 400 in 12 ms, image 200 in 12 ms",
    );
  });
  it("knows each category of streams", () => {
    expect(() => categoryOf("invoice/1")).toThrow(`begins with ${categories.join("/, ")}/`);
  });
});
