import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { eventSchema } from "../../client/event-schema.ts";
import { eventSchemas } from "../../domain/aggregates.ts";
import { event, type Recorded } from "../../domain/kernel/event.ts";
import { eventsOf } from "../../engine/log/codec.ts";

const ajv = () => new Ajv2020({ allErrors: true, strict: false });
const validate = ajv().compile(eventSchema());
const golden = join(import.meta.dirname, "../golden");
/** Events that releases have really written. */
const recorded: Recorded[] = globSync("[0-9]*/*.ndjson", { cwd: golden }).flatMap((file) =>
  readFileSync(join(golden, file), "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => eventsOf(JSON.parse(line))),
);
const some = (type: string): Recorded => recorded.find((event) => event.type === type) as Recorded;

describe("the schema of events", () => {
  it("takes every event that a release has recorded, of every type that there is", () => {
    expect(recorded.filter((event) => !validate(event))).toEqual([]);
    const types = Object.values(eventSchemas).flatMap(({ schemas }) =>
      schemas.map(({ shape }) => (shape.type as unknown as { value: string }).value),
    );
    expect([...new Set(recorded.map(({ type }) => type))].sort()).toEqual(types.sort());
  });

  it.each([
    ["a body of another type", { body: some("BuildFailed").body }],
    ["a version that nobody wrote", { v: 2 }],
    ["another kind's stream", { stream: "environment/web/production" }],
    ["no position", { position: undefined }],
  ])("refuses an event with %s", (_, change) => {
    expect(validate(some("DeploymentQueued"))).toBe(true);
    expect(validate(JSON.parse(JSON.stringify({ ...some("DeploymentQueued"), ...change })))).toBe(false);
  });

  it("tells of the versions that older logs hold, too", () => {
    const second = event("BuildStarted", 2, { build: z.string() });
    const later = ajv().compile(eventSchema({ deployment: { schemas: [second], upcasters: { BuildStarted: { 1: (body) => body } } } }));
    expect(later(some("BuildStarted"))).toBe(true);
    expect(later({ ...some("BuildStarted"), v: 2, body: { build: "one" } })).toBe(true);
    expect(later({ ...some("BuildStarted"), v: 2 })).toBe(false);
    expect(later({ ...some("BuildStarted"), v: 3 })).toBe(false);
  });

  it("tells of a part that many events have once", () => {
    expect(JSON.stringify(eventSchema()).length).toBeLessThan(40_000);
  });
});
