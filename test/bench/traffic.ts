import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { BUS } from "../../blueprint/topology.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { deploymentStream } from "../../domain/kernel/identity.ts";
import { each } from "../../engine/kit/each.ts";
import { messageOf } from "../../engine/kit/envelope.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import type { EventStore, Head } from "../../engine/log/event-store.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { createQueue, localNames } from "../../local/provision/engine-resources.ts";
import { wire as project } from "../../services/project/handler.ts";
import { deploymentId } from "../support/samples.ts";
import { type DevelopmentRoom, SITE, withDevelopment } from "./development-room.ts";
import { deploymentHistory } from "./histories.ts";
import { median, quantile, stopwatch } from "./measure.ts";
import type { Line } from "./report.ts";
import { withStore } from "./room.ts";

/** For information, without a target: these depend on the machine. */
export const traffic = async (): Promise<readonly Line[]> => [
  ...(await withDevelopment(["production"], async (room) => [...(await rollback(room)), await relayLatency(room)])),
  await concurrentAppends(),
  ...(await projection()),
];

const ROLLBACKS = 20;

/** From the API call to the event that says the release is live, forth and back between two releases. */
const rollback = async (room: DevelopmentRoom): Promise<Line[]> => {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const build = await room.build();
    await room.request("production", build);
    await room.until(
      () => room.deployment(build.id),
      ({ type }) => type === "DeploymentSucceeded",
    );
    ids.push(build.id);
  }
  const { apiUrl, token } = room.development;
  const taken: number[] = [];
  for (let n = 0; n < ROLLBACKS; n++) {
    const began = Date.now();
    const answer = await fetch(`${apiUrl}/v1/environments/${SITE}/production/rollback`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ to: ids[n % 2] }),
    });
    if (answer.status !== 202) throw new Error(`the rollback was answered with ${answer.status}: ${await answer.text()}`);
    const { sequence } = (await answer.json()) as { sequence: number };
    const live = await room.until(
      () => room.environment("production"),
      (event) => event.type === "ReleaseWentLive" && event.body.sequence === sequence,
    );
    taken.push(Date.parse(live.at) - began);
  }
  const range = [Math.min(...taken), Math.max(...taken)] as const;
  return [
    { bench: "traffic", what: "rollback p50, API call → live", value: median(taken), unit: "ms", range, note: `${ROLLBACKS} runs` },
    { bench: "traffic", what: "rollback p95", value: quantile(taken, 0.95), unit: "ms" },
  ];
};

/** From an append's answer to the message in the hands of a consumer: stream, relay, bus, rule, queue, long poll. */
const relayLatency = async ({ development }: DevelopmentRoom): Promise<Line> => {
  const { sqs, eventBridge } = development.aws.clients;
  const { store } = development.engine;
  const queue = await createQueue(sqs, "bench-relay", {});
  const rule = { Name: "bench-relay", EventBusName: BUS };
  await eventBridge.send(
    new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ "detail-type": ["BuildStarted"] }), State: "ENABLED" }),
  );
  await eventBridge.send(new PutTargetsCommand({ Rule: rule.Name, EventBusName: BUS, Targets: [{ Id: "queue", Arn: queue.arn }] }));
  const taken: number[] = [];
  for (let n = 1; n <= 40; n++) {
    const stream = deploymentStream(deploymentId(n));
    const [queued, started] = deploymentHistory(n) as [AnyEvent, AnyEvent];
    await append(store, (await store.load(stream)).head, { ...queued, body: withoutSource(queued) });
    const { head } = await store.load(stream);
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 10 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await append(store, head, started);
    const began = performance.now();
    const { Messages = [] } = await waiting;
    if (n > 10) taken.push(performance.now() - began);
    for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle }));
  }
  return {
    bench: "traffic",
    what: "append → message received",
    value: median(taken),
    unit: "ms",
    range: [Math.min(...taken), Math.max(...taken)],
  };
};

/** Nothing to build, so that no consumer goes on from here. */
const withoutSource = ({ body }: AnyEvent): unknown => {
  const { request, ...rest } = body as { request: object };
  return { ...rest, request: { ...request, site: SITE, source: null } };
};

const append = (store: EventStore, head: Head, ...events: AnyEvent[]) =>
  store.append(head, { events, cause: crypto.randomUUID(), correlation: "bench", actor: "bench", now: Date.now() });

const STREAMS = 32;

/** Decisions a second with 32 streams at once, each decision with its load, as `execute` makes it. */
const concurrentAppends = (): Promise<Line> =>
  withStore(async ({ store }) => {
    const width = (from: number) => Array.from({ length: STREAMS }, (_, n) => from + n);
    await each(width(0), STREAMS, (n) => live(store, n));
    const ms = await stopwatch(() => each(width(STREAMS), STREAMS, (n) => live(store, n)));
    const value = (STREAMS * deploymentHistory(1).length * 1_000) / ms;
    return { bench: "traffic", what: `load + append, ${STREAMS} streams at once`, value, unit: "decisions/s" };
  });

/** A deployment's whole life, an event a decision. */
const live = async (store: EventStore, n: number): Promise<void> => {
  for (const event of deploymentHistory(n)) await append(store, (await store.load(deploymentStream(deploymentId(n)))).head, event);
};

/** Every event's message through the projection, in the order of its stream, forty at once as its pollers do: each by itself, and by ten. */
const projection = async (): Promise<Line[]> => {
  const [each, batched] = [await projectedBy(1), await projectedBy(10)];
  const ratio = batched / each;
  return [
    { bench: "traffic", what: "projection of deployments", value: each, unit: "events/s", note: "a message each" },
    { bench: "traffic", what: "projection of deployments", value: batched, unit: "events/s", note: "in batches of ten" },
    { bench: "traffic", what: "the second ÷ the first", value: ratio, unit: "×", note: "nine events a stream" },
  ];
};

const projectedBy = (size: number): Promise<number> =>
  withStore(async ({ store, clients }) => {
    const streams = Array.from({ length: 60 }, (_, n) => n + 1);
    await each(streams, 8, (n) => live(store, n));
    const nudges = (await Promise.all(streams.map((n) => store.load(deploymentStream(deploymentId(n)))))).flatMap(({ commits }) =>
      commits.flatMap(eventsOf),
    );
    const handler = project(engine({ ...localNames, sites: [], tokens: {} }, clients, systemClock, () => undefined));
    const batches = Array.from({ length: Math.ceil(nudges.length / size) }, (_, n) => nudges.slice(n * size, (n + 1) * size));
    const ms = await stopwatch(() =>
      each(batches, 40 / size, async (batch) => {
        const Records = batch.map((event, n) => ({
          messageId: String(n),
          body: messageOf(event),
          attributes: { ApproximateReceiveCount: "1" },
        }));
        const { batchItemFailures } = await handler({ Records } as never);
        if (batchItemFailures.length > 0) throw new Error("an event could not be projected");
      }),
    );
    return (nudges.length * 1_000) / ms;
  });
