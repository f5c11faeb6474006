import { GetQueueAttributesCommand, SendMessageCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { openConcurrency } from "../../local/lambda/concurrency.ts";
import { handOn, MAX_INVOCATIONS } from "../../local/lambda/lineage.ts";
import { pollQueue } from "../../local/queue-poller.ts";
import { until } from "../support/until.ts";
import { type Clients, clientsOf, createQueue, newDataDir, queueArn, removeDataDirs } from "./endpoint-support.ts";

let endpoint: Endpoint;
let clients: Clients;
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  clients = clientsOf(endpoint);
  handOn(clients.sqs);
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  removeDataDirs();
});

/** A function that reads this queue and sends what it gets to the next one; what it said and how often it ran. */
const forward = (fn: string, from: string, queue: string, to: string) => {
  const seen = { runs: 0, log: [] as string[] };
  const poller = pollQueue({
    client: clients.sqs,
    fn,
    queueUrl: from,
    queueArn: queueArn(queue),
    batchSize: 1,
    concurrency: 1,
    invocations: openConcurrency(1_000),
    log: (line) => void seen.log.push(line),
    handle: async ({ Records: [record] }) => {
      seen.runs += 1;
      await clients.sqs.send(new SendMessageCommand({ QueueUrl: to, MessageBody: record?.body ?? "" }));
      return { batchItemFailures: [] };
    },
  });
  return { seen, close: poller.close };
};
const countOf = async (QueueUrl: string): Promise<number> => {
  const { Attributes } = await clients.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible);
};

it("a function that sends to its own queue is stopped after sixteen invocations, says so, and its message is a dead letter", async () => {
  const [url, dead] = [await createQueue(clients, "loop"), await createQueue(clients, "loop-dead")];
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn("loop-dead"), maxReceiveCount: 1 });
  await clients.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { RedrivePolicy } }));
  const { seen, close } = forward("loop", url, "loop", url);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "round and round" }));
  await until("the message among the dead letters", async () => (await countOf(dead)) === 1);
  expect(seen.runs).toBe(MAX_INVOCATIONS);
  expect(seen.log).toEqual([
    `queue ${queueArn("loop")}: RecursiveInvocationException: loop was invoked 16 times in the chain of a message`,
  ]);
  await close();
});

it("two functions that send to each other are stopped too, and one that only hands on never is", async () => {
  const [one, other, end] = [await createQueue(clients, "one"), await createQueue(clients, "other"), await createQueue(clients, "end")];
  const there = forward("there", one, "one", other);
  const back = forward("back", other, "other", one);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: one, MessageBody: "ping" }));
  await until("an end of it", () => there.seen.log.length > 0);
  expect([there.seen.runs, back.seen.runs]).toEqual([16, 16]);
  await Promise.all([there.close(), back.close()]);

  const source = await createQueue(clients, "source");
  const through = forward("through", source, "source", end);
  for (let n = 0; n < 20; n++) await clients.sqs.send(new SendMessageCommand({ QueueUrl: source, MessageBody: `${n}` }));
  await until("all of them", async () => (await countOf(end)) === 20);
  expect(through.seen.log).toEqual([]);
  await through.close();
});
