import { expect, it } from "vitest";
import type { Delivery } from "../../domain/webhook/delivery.ts";
import { news } from "../support/news.ts";
import { cloudOf, secretUrl } from "./aws/cloud.ts";
import type { Message } from "./aws/queues.ts";
import { changeStream } from "./aws/stream.ts";
import { register } from "./engine/clouds.ts";
import { places, TOKEN } from "./engine/config.ts";
import { api, relayRecords } from "./engine/engine.ts";
import { mappingsOf, waker } from "./engine/mappings.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import { run } from "./run.ts";
import { anything } from "./themes.ts";
import { createWorld, START } from "./world/world.ts";

const HOUR = 3_600_000;
const only = (kind: FaultKind): ReadonlySet<FaultKind> => new Set(faultKinds.filter((one) => one !== kind));

/** A world in which nothing goes wrong but an endpoint that hangs, however often it is asked. */
const hanging = async () => {
  const world = createWorld({
    seed: 1,
    cap: Number.POSITIVE_INFINITY,
    without: only("webhook-hang"),
    theme: { ...anything, faults: { "webhook-hang": 100 } },
    record: false,
  });
  const stream = changeStream(world, relayRecords);
  const nothing = (): void => undefined;
  const taken: Message[] = [];
  const mappings = mappingsOf(
    () => cloud,
    (consumer, message) => void (consumer === "deliver" && taken.push(message)),
  );
  const cloud = cloudOf(world, places, new Map(), {
    appended: stream.put,
    arrived: mappings.ask,
    aliasMoved: nothing,
    aliasRead: nothing,
    buildStarted: nothing,
    rowWritten: nothing,
    objectRemoved: nothing,
    versionDeleted: nothing,
    addressDeleted: nothing,
    answered: nothing,
    said: nothing,
    received: nothing,
  });
  register(cloud);
  waker(cloud);
  const until = async (isOver: () => boolean): Promise<void> => {
    while (!isOver() && world.violations.length === 0 && (await world.step()));
  };
  let webhook = "";
  const add = (): void =>
    world.spawn(
      "api",
      29,
      async () => {
        const body = JSON.stringify({ kind: "standard", url: secretUrl("1") });
        const headers = {
          authorization: `Bearer ${TOKEN}`,
          "x-shiplog-actor": "ada",
          "idempotency-key": "k1",
          "content-type": "application/json",
          "content-length": String(body.length),
        };
        const answer = await api.request("/v1/webhooks", { method: "POST", headers, body });
        return (await answer.json()) as { webhook: { id: string } };
      },
      (outcome) => {
        if (outcome.is === "done") webhook = outcome.value.webhook.id;
      },
    );
  world.after(0, add);
  await until(() => webhook !== "");
  return { world, cloud, webhook, until, taken };
};

it("of 50 messages at once to an endpoint that hangs none is lost: each is tried ten times over three days, and then a dead letter", async () => {
  const { world, cloud, webhook, until } = await hanging();
  const ids = Array.from({ length: 50 }, (_, n) => `msg_${n}`);
  for (const delivery of ids) {
    const message = { delivery, webhook, attempt: 1, due: world.now(), byHand: false, once: false, news: news() };
    cloud.queues.send("deliver", JSON.stringify(message), 0);
  }
  const rowOf = (id: string): Delivery => JSON.parse(cloud.rows.deliveries.get(id)?.delivery ?? "{}");
  await until(() => cloud.queues.deadLetters("deliver").length === ids.length);
  expect(world.violations).toEqual([]);
  expect(ids.map((id) => [rowOf(id).status, rowOf(id).attempts])).toEqual(ids.map(() => ["dead", 10]));
  expect(new Set(cloud.queues.deadLetters("deliver").map(({ reason }) => reason))).toEqual(
    new Set([`BuildStarted was not delivered to ${webhook} in 10 attempts: no complete answer within 20 seconds`]),
  );
  expect((world.now() - START) / HOUR).toBeGreaterThan(75);
  expect((world.now() - START) / HOUR).toBeLessThan(100);
  expect(cloud.rows.waiting.size).toBe(0);
}, 60_000);

it("CodeBuild without room is asked once a minute for each deployment, however long that lasts", async () => {
  const { history, violations } = await run({
    seed: 2,
    theme: "no room for builds",
    without: only("build-refused"),
    record: true,
  });
  expect(violations).toEqual([]);
  const asked = history.flatMap((line) => /^(\d\d):(\d\d):\S+ start-build#\d+ StartBuild/.exec(line)?.slice(1, 3).map(Number) ?? []);
  const minutes = asked.flatMap((hours, index) => (index % 2 === 0 ? [hours * 60 + (asked[index + 1] ?? 0)] : []));
  const began = Math.min(...minutes);
  // one deployment of the environment waits; each newer one takes its place
  const perQuarter = [1, 2, 3, 4, 5, 6, 7].map(
    (quarter) => minutes.filter((minute) => Math.floor((minute - began) / 15) === quarter).length,
  );
  expect(Math.max(...perQuarter)).toBeLessThanOrEqual(16);
  expect(Math.min(...perQuarter)).toBeGreaterThanOrEqual(14);
}, 60_000);
