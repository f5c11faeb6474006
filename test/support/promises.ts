import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { expect } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { consumers, deadLetterName, queueName } from "../../blueprint/topology.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Commit, verifyChain } from "../../domain/kernel/chain.ts";
import { deploymentOf, siteOf } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { eventsOf, sha256 } from "../../engine/log/codec.ts";
import type { Development } from "../../local/development.ts";
import { until } from "./until.ts";

/** What must hold of an engine that has come to rest, whatever happened to it before. */
export const expectEveryPromise = async (dev: Development): Promise<void> => {
  await comeToRest(dev);
  const commits = await dev.engine.eventLog.read(
    positionAt(Date.now() - 3_600_000),
    positionAt(Date.now() + 60_000),
    Number.MAX_SAFE_INTEGER,
  );
  const streams = Map.groupBy(commits, ({ stream }) => stream);
  for (const [stream, found] of streams) {
    const inOrder = found.sort((a, b) => a.version - b.version);
    expect(verifyChain(sha256, inOrder), stream).toBeUndefined();
    expect(await dev.engine.store.read(stream, 0), stream).toEqual(inOrder);
    if (stream.startsWith("deployment/")) await expectDeployment(dev, stream, inOrder);
    else await expectEnvironment(dev, stream, inOrder);
  }
};

/** No message is on its way and none was given up. */
const comeToRest = async ({ aws: { clients } }: Development): Promise<void> => {
  const waiting = async (name: string): Promise<number> => {
    const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    const { Attributes = {} } = await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    return (
      Number(Attributes.ApproximateNumberOfMessages) +
      Number(Attributes.ApproximateNumberOfMessagesNotVisible) +
      Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0)
    );
  };
  await until(
    "every queue to be empty",
    async () => (await Promise.all(consumers.map(({ name }) => waiting(queueName(name))))).every((count) => count === 0),
    40_000,
  );
  for (const { name } of consumers) expect(await waiting(deadLetterName(name)), `dead letters of ${name}`).toBe(0);
};

const expectDeployment = async (dev: Development, stream: string, commits: readonly Commit[]): Promise<void> => {
  const events = commits.flatMap(eventsOf);
  const ends = events.filter(({ type }) =>
    ["DeploymentSucceeded", "DeploymentFailed", "DeploymentCancelled", "DeploymentSuperseded"].includes(type),
  );
  expect(ends.length, `${stream} ends once`).toBe(1);
  let folded: DeploymentView | undefined;
  for (const event of events) folded = projectDeployment(folded, { ...event, ...readDeploymentEvent(event) });
  expect(await dev.engine.views.deployment(deploymentOf(stream)), `the row of ${stream}`).toEqual(folded);
};

const expectEnvironment = async (dev: Development, stream: string, commits: readonly Commit[]): Promise<void> => {
  const { site, environment } = siteOf(stream);
  const names = siteResources(site, environment);
  const events = commits.flatMap(eventsOf);
  let folded = emptyEnvironment(site, environment);
  for (const event of events) folded = projectEnvironment(folded, { ...event, ...readEnvironmentEvent(event) });
  expect(await dev.engine.views.environment(site, environment), `the row of ${stream}`).toEqual(folded);

  const bodies = (type: string) =>
    events.filter((event) => event.type === type).map(({ body }) => body as { sequence: number; function: string; to: string });
  const live = bodies("ReleaseWentLive").map(({ sequence }) => sequence);
  expect(live, "each sequence goes live once, and they rise").toEqual([...new Set(live)].sort((a, b) => a - b));
  const flips = bodies("AliasFlipped").map(({ sequence, function: name }) => `${sequence} ${name}`);
  expect(flips.length, "each move of an alias is recorded once").toBe(new Set(flips).size);
  for (const fn of Object.values(names.functions)) {
    const alias = dev.aws.lambda.alias(fn, names.alias);
    const last = bodies("AliasFlipped").findLast(({ function: name }) => name === fn);
    expect(alias?.functionVersion, `${fn} is where the log says`).toBe(last?.to ?? alias?.functionVersion);
    expect(alias?.description).toContain(`seq=${folded.live?.sequence ?? 0} `);
  }
};
