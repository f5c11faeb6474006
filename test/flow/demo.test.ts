import { afterAll, beforeAll, expect, it } from "vitest";
import { openApi } from "../../cli/api.ts";
import { type Listener, listen } from "../../demo/messages.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let listener: Listener;
const { signal } = new AbortController();
beforeAll(async () => {
  world = await startWorld({ environments: ["production"], allowLoopbackWebhooks: true });
  listener = await listen(openApi({ url: world.dev.apiUrl, token: world.dev.token, source: "test" }, { actor: "demo", signal }));
});
afterAll(async () => {
  await listener.close();
  await world.close();
});

it("the demo's receiver hears of everything up to the rollback, for Slack and signed", async () => {
  const first = await world.live("production");
  await world.live("production");
  const { sequence } = await world.api.rollback("web", "production", first);
  const heard = await until("every message", async () => {
    const so = await listener.heard(sequence, signal);
    return so.verified >= 11 ? so : undefined;
  });

  expect(heard).toMatchObject({ refused: [], undelivered: [] });
  expect(heard.slack.map((text) => text.split(" · ")[0])).toEqual(
    expect.arrayContaining(["✅ web/production live", "⏪ web/production rolled back"]),
  );
  // each event once to each endpoint: two deployments of five steps, and the rollback with its pin
  expect([heard.slack.length, heard.verified]).toEqual([11, 11]);
  for (const { url } of heard.endpoints) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/…$/);
});
