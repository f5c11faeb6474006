import { ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { GetAliasCommand, ListVersionsByFunctionCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { expect } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { consumers, deadLetterName, EVENTS_TABLE, queueName, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Commit, verifyChain } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf, environmentStream, siteOf } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import { eventsOf, sha256 } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { eventLog } from "../../engine/log/log.ts";
import { viewsTable } from "../../engine/views/views.ts";
import type { LoggedEvent } from "./api-client.ts";
import { until } from "./until.ts";

const DAY_MS = 24 * 3_600_000;
const SETTLES_WITHIN_MS = 40_000;

/** Waits until nothing is on its way any more, then checks what must hold after any crash: the log, the views, the aliases, the queues. */
export const expectSound = async (clients: Clients, site: string, environment: string): Promise<void> => {
  await everythingArrived(clients, site, environment);
  const streams = await streamsOf(clients);
  const log = await wholeLog(clients);
  expect(log.map(nameOf).sort(), "the index of the log").toEqual([...streams.values()].flat().map(nameOf).sort());
  for (const [stream, commits] of streams) {
    expect(
      commits.map(({ version }) => version),
      `versions of ${stream}`,
    ).toEqual(commits.map((_, index) => index + 1));
    expect(verifyChain(sha256, commits), `the chain of ${stream}`).toBeUndefined();
  }
  await viewsAreTheFold(clients, streams);
  const events = (streams.get(environmentStream(site, environment)) ?? []).flatMap(eventsOf) as LoggedEvent[];
  await aliasesAreWhatTheLogSays(clients, site, environment, events);
  await noWorkWasDoneTwice(clients, site, environment, streams);
};

const wholeLog = ({ dynamodb }: Clients): Promise<Commit[]> => {
  const now = Date.now();
  return eventLog(dynamodb, EVENTS_TABLE).read(positionAt(now - DAY_MS), positionAt(now + DAY_MS), 10_000);
};

/** Every stream that the log knows, read from the table itself. */
const streamsOf = async (clients: Clients): Promise<Map<string, Commit[]>> => {
  const store = eventStore(clients.dynamodb, EVENTS_TABLE);
  const names = new Set((await wholeLog(clients)).map(({ stream }) => stream));
  return new Map(await Promise.all([...names].map(async (stream) => [stream, await store.read(stream, 0)] as const)));
};
const nameOf = ({ stream, version, position, hash }: Commit): string => `${stream}@${version} ${position} ${hash}`;

const everythingArrived = async (clients: Clients, site: string, environment: string): Promise<void> => {
  const views = viewsTable(clients.dynamodb, VIEWS_TABLE, eventStore(clients.dynamodb, EVENTS_TABLE).read);
  const { revalidationQueue } = siteResources(site, environment);
  await until(
    "every commit to be relayed and every queue to be empty",
    async () => {
      for (const [stream, commits] of await streamsOf(clients)) if ((await views.relayed(stream)) < commits.length) return false;
      const left = await Promise.all(
        [...consumers.map(({ name }) => queueName(name)), revalidationQueue].map((name) => messagesIn(clients, name)),
      );
      return left.every((messages) => messages === 0);
    },
    SETTLES_WITHIN_MS,
  );
  for (const { name } of consumers) expect(await messagesIn(clients, deadLetterName(name)), `dead letters of ${name}`).toBe(0);
};

const messagesIn = async ({ sqs }: Clients, QueueName: string): Promise<number> => {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  const {
    ApproximateNumberOfMessages = "0",
    ApproximateNumberOfMessagesNotVisible = "0",
    ApproximateNumberOfMessagesDelayed = "0",
  } = Attributes;
  return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible) + Number(ApproximateNumberOfMessagesDelayed);
};

const viewsAreTheFold = async ({ dynamodb }: Clients, streams: ReadonlyMap<string, readonly Commit[]>): Promise<void> => {
  const views = viewsTable(dynamodb, VIEWS_TABLE, eventStore(dynamodb, EVENTS_TABLE).read);
  for (const [stream, commits] of streams) {
    const events: Recorded[] = commits.flatMap(eventsOf);
    if (stream.startsWith("deployment/")) {
      let view: DeploymentView | undefined;
      for (const event of events) view = projectDeployment(view, { ...event, ...readDeploymentEvent(event) });
      expect(await views.deployment(deploymentOf(stream)), `the row of ${stream}`).toEqual(view);
    } else {
      const { site, environment } = siteOf(stream);
      let view = emptyEnvironment(site, environment);
      for (const event of events) view = projectEnvironment(view, { ...event, ...readEnvironmentEvent(event) });
      expect(await views.environment(site, environment), `the row of ${stream}`).toEqual(view);
    }
  }
};

/** The last release that went live is the highest sequence, and every alias is on it; each of its moves was written down once. */
const aliasesAreWhatTheLogSays = async (
  { lambda }: Clients,
  site: string,
  environment: string,
  events: readonly LoggedEvent[],
): Promise<void> => {
  const { functions, alias: Name } = siteResources(site, environment);
  const went = events.filter(({ type }) => type === "ReleaseWentLive").map(({ body }) => body);
  const sequences = went.map(({ sequence }) => sequence);
  expect(sequences, "each release went live once, and only forwards").toEqual([...new Set(sequences)].sort((a, b) => a - b));
  const live = went.at(-1);
  const switched = events.filter(({ type }) => type === "EdgeSwitched").map(({ body }) => body.sequence);
  expect(switched, "visitors were sent to each").toEqual(sequences);
  for (const FunctionName of Object.values(functions)) {
    const { Description, FunctionVersion, RoutingConfig } = await lambda.send(new GetAliasCommand({ FunctionName, Name }));
    const { version } = live.release.functions.find(({ name }: { name: string }) => name === FunctionName);
    expect({ Description, FunctionVersion, RoutingConfig }, `the alias of ${FunctionName}`).toEqual({
      Description: `seq=${live.sequence} dep=${live.deploymentId}`,
      FunctionVersion: version,
      RoutingConfig: undefined,
    });
    const moves = events.filter(({ type, body }) => type === "AliasFlipped" && body.function === FunctionName).map(({ body }) => body);
    expect(
      moves.map(({ sequence }) => sequence),
      `moves of ${FunctionName}`,
    ).toEqual(sequences);
    expect(
      moves.slice(1).map(({ from }) => from),
      `where ${FunctionName} came from`,
    ).toEqual(moves.slice(0, -1).map(({ to }) => to));
  }
};

/** One build for each deployment, and no version of a function twice. */
const noWorkWasDoneTwice = async (
  { codeBuild, lambda }: Clients,
  site: string,
  environment: string,
  streams: ReadonlyMap<string, readonly Commit[]>,
): Promise<void> => {
  const { functions, project } = siteResources(site, environment);
  const { ids = [] } = await codeBuild.send(new ListBuildsForProjectCommand({ projectName: project }));
  expect(ids, "builds").toHaveLength([...streams.keys()].filter((stream) => stream.startsWith("deployment/")).length);
  for (const FunctionName of Object.values(functions)) {
    const { Versions = [] } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    const published = Versions.filter(({ Version }) => Version !== "$LATEST").map(({ CodeSha256, Environment }) =>
      JSON.stringify([CodeSha256, Environment]),
    );
    expect(new Set(published).size, `versions of ${FunctionName}`).toBe(published.length);
  }
};
