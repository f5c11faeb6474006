import { GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { expect } from "vitest";
import { queueName, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { waitingRows } from "../../engine/views/waiting-rows.ts";
import { type FixtureApp, writeFixtureApp } from "./fixture-app.ts";
import type { PartsWorld } from "./parts-world.ts";
import { until } from "./until.ts";
import type { Receiver } from "./webhook-receiver.ts";

const PLACE = "environments/web/production";
const ENDS = ["success", "failed", "cancelled", "superseded"];

const deploy = async (world: PartsWorld, change: FixtureApp): Promise<string> => {
  const app = `${world.folder}/app-${Math.random().toString(36).slice(2)}`;
  await writeFixtureApp(app, change);
  return (await world.api.deploy("web", "production", await world.api.upload("web", app))).id;
};
const reached = (world: PartsWorld, id: string, ...wanted: string[]) =>
  until(`${id} to be ${wanted.join(" or ")}`, async () => {
    const { status, reason } = await world.api.deployment(id);
    if (wanted.includes(status)) return true;
    if (ENDS.includes(status)) throw new Error(`${id} is ${status}: ${reason}`);
    return undefined;
  });

/** One is sent again, comes back, and is dropped. */
const decideOfDeadLetters = async (world: PartsWorld): Promise<void> => {
  const { sqs } = world.aws.clients;
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueName("project") }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "half a mess" }));
  const letter = (except?: string): Promise<string> =>
    until("a dead letter", async () =>
      (await world.api.get("dead-letters")).body.letters
        .map(({ messageId }: { messageId: string }) => messageId)
        .find((id: string) => id !== except),
    );
  const first = await letter();
  expect((await world.api.get(`dead-letters/${first}`)).status).toBe(200);
  expect((await world.api.post(`dead-letters/${first}/redrive`)).status).toBe(200);
  expect((await world.api.post(`dead-letters/${await letter(first)}/drop`, { reason: "a mess" })).status).toBe(200);
};

/** Somebody is told the log of the site, pauses and goes on. */
const subscribe = async (world: PartsWorld, receiver: Receiver): Promise<void> => {
  const added = await world.api.post("subscriptions", { url: receiver.url("log"), from: "beginning", site: "web" });
  expect(added.status, added.text).toBe(201);
  const at = `subscriptions/${added.body.subscription.id}`;
  await until("the log to be told", async () => (await world.api.get(at)).body.subscription.lag.events === 0);
  for (const [verb, body] of [
    ["pause", {}],
    ["resume", {}],
    ["reset", { from: "now" }],
  ] as const)
    expect((await world.api.post(`${at}/${verb}`, body)).status).toBe(200);
};

/** Does everything once that a person, a build or the time of day can make the engine do: its site is `web`, its environment `production`. */
export const doEverythingOnce = async (world: PartsWorld, receiver: Receiver): Promise<void> => {
  const added = await world.api.post("webhooks", { kind: "standard", url: receiver.url("hook") });
  expect(added.status, added.text).toBe(201);
  const hook = added.body.webhook.id as string;
  const first = await deploy(world, {});
  await reached(world, first, "success");
  const second = await deploy(world, {});
  await reached(world, second, "success");
  expect((await world.api.get(`deployments/${first}/compare/${second}`)).status).toBe(200);
  const broken = await deploy(world, { failsWith: "this one is broken" });
  await reached(world, broken, "failed");
  await world.api.get(`deployments/${broken}/logs`);
  const cancelled = await deploy(world, { takes: 60_000 });
  await reached(world, cancelled, "building");
  await world.api.post(`deployments/${cancelled}/cancel`);
  await reached(world, cancelled, "cancelled");
  await world.api.rollback("web", "production", first);
  await until("the rollback to be live", async () => (await world.api.environment("web", "production")).live?.deploymentId === first);
  const cut = (await world.api.environment("web", "production")).routes.find(({ until }) => until !== null)?.deploymentId;
  expect((await world.api.post(`${PLACE}/releases/${cut}/cut`, { reason: "it leaks" })).status).toBe(200);
  await until("it to have ended", async () => (await world.api.events(PLACE)).some(({ type }) => type === "ReleaseEnded"));
  await world.api.post(`webhooks/${hook}/test`);
  await world.api.post(`webhooks/${hook}/rotate`);
  await until("the receiver to hear", async () => (await receiver.at("hook")).length > 5);
  const waiting = waitingRows(DynamoDBDocumentClient.from(world.aws.clients.dynamodb), VIEWS_TABLE);
  await waiting.noteWaiting({ consumer: "deliver", key: "no message", body: "{}", due: 0, token: "t" });
  await until("what waited to be in its queue", async () => (await waiting.waiting("deliver", "no message")) === undefined);
  const key = { NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64") };
  expect((await world.api.send("PUT", `${PLACE}/variables`, { values: key })).status).toBe(200);
  expect((await world.api.post(`${PLACE}/variables/read`)).status).toBe(200);
  await decideOfDeadLetters(world);
  await world.api.post("dead-letters/empty", { site: "web", environment: "production" });
  await world.api.post("seals");
  await world.api.get("seals");
  await world.api.send("DELETE", `webhooks/${hook}`);
  await subscribe(world, receiver);
};
