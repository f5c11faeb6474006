import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { eventSchemas, readAny } from "../../domain/aggregates.ts";
import { deployment } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Commit, verifyChain } from "../../domain/kernel/chain.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { webhook } from "../../domain/webhook/decider.ts";
import { readWebhookEvent } from "../../domain/webhook/events.ts";
import { eventsOf, sha256 } from "../../engine/log/codec.ts";
import { deploymentId } from "../support/samples.ts";

/** Histories as old releases wrote them. A test that fails here means that somebody's log can't be read any more. */
const here = new URL("./", import.meta.url);
const releases = readdirSync(here).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
const histories = releases.flatMap((release) => readdirSync(new URL(`${release}/`, here)).map((file) => `${release}/${file}`));
const read = (file: string): Commit[] =>
  readFileSync(new URL(file, here), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Commit);
const eventsIn = (file: string) => read(file).flatMap(eventsOf);

describe.each(histories)("the history %s", (file) => {
  it("still has its chain", () => {
    expect(verifyChain(sha256, read(file))).toBeUndefined();
  });
  it("still reads, event by event, without a change where the version is today's", () => {
    for (const stored of eventsIn(file)) {
      const event = readAny(stored);
      if (event.v === stored.v) expect(event).toEqual(stored);
    }
  });
});

describe("the histories of 0.1.0", () => {
  const status = (name: string) => fold(deployment, eventsIn(`0.1.0/deployment-${name}.ndjson`).map(readDeploymentEvent)).status;

  it("still fold to what they meant", () => {
    expect(["success", "held", "failed-build", "failed-checks", "cancelled", "superseded", "reused"].map(status)).toEqual([
      "success",
      "held",
      "failed",
      "failed",
      "cancelled",
      "superseded",
      "built",
    ]);
    const state = fold(environment, eventsIn("0.1.0/environment.ndjson").map(readEnvironmentEvent));
    expect(state).toMatchObject({
      sequence: 6,
      live: { sequence: 6, deploymentId: deploymentId(3) },
      pinned: false,
      lock: null,
      waiting: null,
    });
    expect(fold(environment, eventsIn("0.1.0/environment-drift.ndjson").map(readEnvironmentEvent)).drift.size).toBe(0);
    expect([...state.everLive.keys()]).toEqual([deploymentId(1), deploymentId(3)]);
    // the way back, of events that know nothing of it: its rollback failed, so that nothing was taken down
    expect(state).toMatchObject({ standing: [deploymentId(1), deploymentId(3)], takenDown: new Map(), unfit: new Map(), pinnedBy: null });
    expect(state.open.size).toBe(0);
    const endpoint = fold(webhook, eventsIn("0.1.0/webhook.ndjson").map(readWebhookEvent));
    expect(endpoint).toMatchObject({ kind: "standard", disabled: null, removed: true, filters: { types: ["DeploymentFailed"] } });
  });
});

describe("the catalogue of events", () => {
  const seen = new Set(histories.flatMap((file) => eventsIn(file).map(({ type }) => type)));

  const known = Object.values(eventSchemas).flatMap(({ schemas }) =>
    schemas.map(({ shape }) => (shape as { type: { value: string } }).type.value),
  );

  it.each(known)("has %s in a history", (type) => {
    expect(seen).toContain(type);
  });
  it("still knows every kind that was ever written", () => {
    expect([...seen].filter((type) => !known.includes(type))).toEqual([]);
  });
  it("has the histories of 0.1.0", () => {
    expect(existsSync(new URL("0.1.0/", here))).toBe(true);
  });
});
