import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { queueName } from "../../blueprint/topology.ts";
import { wire as flipAlias } from "../../services/flip-alias/handler.ts";
import { watchAliases } from "../support/alias-watch.ts";
import type { LoggedEvent } from "../support/api-client.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["copies", "late"] });
});
afterAll(() => world.close());

/** The message that the bus makes of an event. */
const envelope = (event: LoggedEvent): string =>
  JSON.stringify({ version: "0", source: "shiplog.environment", "detail-type": event.type, detail: event });

const queueUrl = async (): Promise<string> =>
  (await world.aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName: queueName("flip-alias") }))).QueueUrl ?? "";

const send = async (event: LoggedEvent, copies: number): Promise<void> => {
  const QueueUrl = await queueUrl();
  const MessageBody = envelope(event);
  await Promise.all(Array.from({ length: copies }, () => world.aws.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))));
};

const everyMessageIsTaken = async (): Promise<void> => {
  const QueueUrl = await queueUrl();
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  await until("the queue to be empty", async () => {
    const { Attributes = {} } = await world.aws.clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
    );
    return AttributeNames.every((name) => Attributes[name] === "0");
  });
};

/** Calls the consumer's handler itself, so many times at once. */
const handle = async (event: LoggedEvent, times: number): Promise<void> => {
  const handler = flipAlias(world.dev.engine);
  const answers = await Promise.all(
    Array.from({ length: times }, (_, n) =>
      handler({
        Records: [{ messageId: `copy-${n}`, receiptHandle: "none", body: envelope(event), attributes: { ApproximateReceiveCount: "1" } }],
      } as unknown as Parameters<typeof handler>[0]),
    ),
  );
  expect(answers.flatMap(({ batchItemFailures }) => batchItemFailures)).toEqual([]);
};

it("flips once, however many copies of the message come at once, and never goes back for a late one", async () => {
  await world.live("copies");
  const functions = Object.values(world.resources("copies").functions);
  const moved = (): number => world.aws.lambda.counters().changingAliasUpdates;

  // the one message is lost, so that the copies find the flip undone
  world.aws.endpoint.dropEvents((event) => event["detail-type"] === "FlipRequested");
  const second = await world.deploy("copies");
  const flip = await world.happened("copies", "the flip", ({ type, body }) => type === "FlipRequested" && body.deploymentId === second);
  world.aws.endpoint.dropEvents(undefined);

  const watch = watchAliases(world.aws, functions);
  const before = moved();
  await Promise.all([send(flip, 100), handle(flip, 100)]);
  await world.reached(second, "success");
  await everyMessageIsTaken();
  expect(moved() - before).toBe(functions.length);

  const ofFlip = async (type: string) =>
    (await world.eventsOf("copies", type)).filter(({ body }) => body.sequence === flip.body.sequence).map(({ body }) => body.function);
  expect((await ofFlip("AliasFlipped")).sort()).toEqual([...functions].sort());
  expect(await ofFlip("ReleaseWentLive")).toHaveLength(1);

  const third = await world.live("copies");
  const events = await world.eventsOf("copies");
  const settled = moved();
  await Promise.all([send(flip, 1), handle(flip, 1)]);
  await everyMessageIsTaken();
  expect(moved()).toBe(settled);
  expect(await world.eventsOf("copies")).toEqual(events);
  expect((await world.api.environment("web", "copies")).live?.deploymentId).toBe(third);

  expect(watch.stop()).toEqual(Object.fromEntries(functions.map((name) => [name, [1, 2, 3]])));
});

it("lets no older build overtake: one that finishes after a newer is live ends superseded", async () => {
  const { waitsFor, open } = world.gate();
  const older = await world.deploy("late", { waitsFor });
  await world.reached(older, "building");
  const newer = await world.live("late");
  await open();
  expect((await world.reached(older, "superseded")).reason).toContain("is newer");
  expect((await world.api.environment("web", "late")).live).toMatchObject({ deploymentId: newer, sequence: 2 });
  const asked = (await world.eventsOf("late", "FlipRequested")).map(({ body }) => body.deploymentId);
  expect(asked).toEqual([newer]);
  const answer = await fetch(`${world.urlOf("late")}/ssr`);
  expect(answer.headers.get("x-shiplog-deployment")).toBe(newer);
});
