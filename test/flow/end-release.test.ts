import { DeleteFunctionUrlConfigCommand, GetAliasCommand, GetFunctionUrlConfigCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, it } from "vitest";
import { releaseKey } from "../../blueprint/edge-table.ts";
import { wire as endRelease } from "../../services/end-release/handler.ts";
import type { LoggedEvent } from "../support/api-client.ts";
import { startWorld, type World } from "../support/world.ts";

/** The window of this site is over as soon as another release is live. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["ended", "killed", "lost"], site: { skewHours: 0 } });
});
afterAll(() => world.close());

const LATER_MS = 11 * 60_000;

/** The consumer's own handler is given the event, eleven minutes from now, with these parts changed. */
const comesLater = async (event: LoggedEvent, change: object = {}): Promise<number> => {
  const { engine } = world.dev;
  const later = { ...engine, clock: { ...engine.clock, now: () => engine.clock.now() + LATER_MS }, ...change };
  const body = JSON.stringify({ version: "0", source: "shiplog.environment", "detail-type": event.type, detail: event });
  const handler = endRelease(later);
  const record = { messageId: `late-${Math.random()}`, receiptHandle: "none", body, attributes: { ApproximateReceiveCount: "1" } };
  return (await handler({ Records: [record] } as unknown as Parameters<typeof handler>[0])).batchItemFailures.length;
};

const isThere = async (environment: string, alias: string): Promise<boolean> => {
  const { lambda } = world.aws.clients;
  const { server, image } = world.resources(environment).functions;
  const found = await Promise.allSettled(
    [server, image].flatMap((FunctionName) => [
      lambda.send(new GetAliasCommand({ FunctionName, Name: alias })),
      lambda.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier: alias })),
    ]),
  );
  const count = found.filter(({ status }) => status === "fulfilled").length;
  if (count > 0 && count < found.length) throw new Error(`${alias} is there in part: ${count} of ${found.length}`);
  return count > 0;
};

const rowOf = async (environment: string, release: string): Promise<string | undefined> => {
  const { edgeTable, distribution } = world.dev.engine.site("web", environment) ?? {};
  return world.dev.engine.edgeTable.get(edgeTable ?? "", releaseKey(distribution ?? "", release));
};

const ended = async (environment: string): Promise<LoggedEvent> => {
  await world.reconcile(undefined);
  return world.happened(environment, "its window to be over", ({ type }) => type === "ReleaseEnded");
};
const rollBack = async (environment: string, to: string, sequence: number): Promise<void> => {
  await world.api.rollback("web", environment, to);
  await world.happened(environment, "it to be live again", ({ type, body }) => type === "ReleaseWentLive" && body.sequence === sequence);
};
const answeredBy = async (environment: string): Promise<string | null> => {
  const answer = await fetch(world.urlOf(environment), { headers: { accept: "text/html" } });
  await answer.body?.cancel();
  return answer.status === 200 ? answer.headers.get("x-shiplog-deployment") : String(answer.status);
};

it("takes row, URL and alias of a release away after its window, and a rollback makes another address within its flip", async () => {
  const first = await world.live("ended");
  const second = await world.live("ended");
  const event = await ended("ended");
  expect(event.body).toMatchObject({ deploymentId: first, address: 1, reason: "window" });
  expect(await isThere("ended", "r-1")).toBe(true);

  expect(await comesLater(event)).toBe(0);
  expect(await rowOf("ended", first)).toBeUndefined();
  expect(await isThere("ended", "r-1")).toBe(false);
  expect(await isThere("ended", "r-2")).toBe(true);
  expect(await answeredBy("ended")).toBe(second);

  await rollBack("ended", first, 3);
  expect(await answeredBy("ended")).toBe(first);
  expect(await isThere("ended", "r-3")).toBe(true);
  expect(await isThere("ended", "r-1")).toBe(false);
  expect(await comesLater(event)).toBe(0);
  expect(await answeredBy("ended")).toBe(first);
});

it("ends the same where each of its steps dies", async () => {
  const first = await world.live("killed");
  await world.live("killed");
  const event = await ended("killed");
  const { engine } = world.dev;
  const died = () => Promise.reject(new Error("it died"));
  const { edgeTable, aggregates, addresses } = engine;
  const afterUpdate = async (...args: Parameters<typeof edgeTable.update>) => {
    await edgeTable.update(...args);
    await died();
  };
  const afterExecute = async (...args: Parameters<typeof aggregates.environment.execute>) => {
    await aggregates.environment.execute(...args);
    return died();
  };
  let removed = 0;
  const afterOne = async (...args: Parameters<typeof addresses.remove>) => {
    if (removed++ > 0) await died();
    await addresses.remove(...args);
  };
  for (const change of [
    { edgeTable: { ...edgeTable, update: died } },
    { edgeTable: { ...edgeTable, update: afterUpdate } },
    { aggregates: { ...aggregates, environment: { ...aggregates.environment, execute: died } } },
    { aggregates: { ...aggregates, environment: { ...aggregates.environment, execute: afterExecute } } },
    { addresses: { ...addresses, remove: died } },
    { addresses: { ...addresses, remove: afterOne } },
  ])
    expect(await comesLater(event, change)).toBe(1);
  for (const _ of ["again", "and again"]) expect(await comesLater(event)).toBe(0);
  expect(await rowOf("killed", first)).toBeUndefined();
  expect(await isThere("killed", "r-1")).toBe(false);
  expect(await world.eventsOf("killed", "ReleaseEnded", "AddressRemoved")).toHaveLength(2);
});

it("makes the URL of what is live again that a hand deleted, once the reconciler looked", async () => {
  const first = await world.live("lost");
  const { server } = world.resources("lost").functions;
  await world.aws.clients.lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: server, Qualifier: "r-1" }));
  expect(await answeredBy("lost")).not.toBe(first);
  await world.reconcile(undefined);
  await world.happened("lost", "it to be live again", ({ type, body }) => type === "ReleaseWentLive" && body.sequence === 2);
  expect(await answeredBy("lost")).toBe(first);
  expect(await isThere("lost", "r-1")).toBe(true);
});
