import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  // the fewest of which the engine reserves some
  world = await startWorld({ environments: ["production"], account: { concurrentInvocations: 390 } });
});
afterAll(() => world.close());

const ended = ["ReleaseWentLive", "FlipFailed", "FlipSuperseded"];
const visit = (): Promise<Response> => fetch(world.urlOf("production"));
/** Slow visitors take every execution that others may have, again and again. */
const flooded = async (): Promise<() => void> => {
  const places: (() => void)[] = [];
  const take = (): void => {
    try {
      for (;;) places.push(world.aws.lambda.concurrency.begin());
    } catch {
      // there is no room any more
    }
  };
  const taking = setInterval(take, 5);
  take();
  await until("visitors to be refused", async () => (await visit()).status === 429);
  return () => {
    clearInterval(taking);
    for (const end of places) end();
  };
};

it("a flood on a site does not hold its rollback up: it goes through at the second delivery, and is recorded as unproven", async () => {
  const first = await world.live("production");
  const second = await world.live("production");
  const ebb = await flooded();

  const began = performance.now();
  const { sequence, version } = await world.api.rollback("web", "production", first);
  const isEnd = ({ type, body }: { type: string; body: Record<string, unknown> }): boolean =>
    ended.includes(type) && body.sequence === sequence;
  const { type, body } = await world.happened("production", "the rollback to end", isEnd, version);
  expect([type, body.deploymentId]).toEqual(["ReleaseWentLive", first]);
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(body.unproven).toMatch(/^Lambda refused to run .*: the executions of the account are used up/);
  expect(body.unproven).toContain("server:live");
  expect(world.lines.filter((line) => line.startsWith("flip-alias warn a message failed and comes again"))).toHaveLength(1);
  for (const fn of Object.values(world.resources("production").functions))
    expect(world.aws.lambda.alias(fn, "live")?.description).toBe(`seq=${sequence} dep=${first}`);

  ebb();
  await until("the page of the release", async () => (await visit()).headers.get("x-shiplog-deployment") === first);
  expect(second).not.toBe(first);
});
