import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EVENTS_TABLE, SNAPSHOTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { deployment } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { foldedStreams } from "../../engine/log/folded-streams.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { startProxiedWorld } from "../support/proxied-world.ts";
import type { World } from "../support/world.ts";

let room: Awaited<ReturnType<typeof startProxiedWorld>>;
let world: World;
let proxy: (typeof room)["proxy"];
let data: string;
beforeAll(async () => {
  room = await startProxiedWorld({ environments: ["kept"] });
  ({ world, proxy, data } = room);
});
afterAll(() => room.close());

const shiplog = (...words: string[]) => runCli(["--data", data, "replay", "snapshots", ...words]);
/** As the engine keeps a stream that is long enough. */
const keep = async (id: string): Promise<void> => {
  const { dynamodb } = world.aws.clients;
  const ground = { snapshots: snapshotTable(dynamodb, SNAPSHOTS_TABLE), every: 1 };
  const store = eventStore(dynamodb, EVENTS_TABLE);
  const deployments = foldedStreams(store, ground, lastUsed<never>(1), deployment, readDeploymentEvent);
  await deployments.save(deploymentStream(id), await deployments.load(deploymentStream(id)));
  const environments = foldedStreams(store, ground, lastUsed<never>(1), environment, readEnvironmentEvent);
  const stream = environmentStream("web", "kept");
  await environments.save(stream, await environments.load(stream));
};

it("compares snapshots with the log, drops them under an engine that runs, and that goes on", async () => {
  const id = await world.live("kept");
  await keep(id);
  const healthy = await shiplog("--verify");
  expect([healthy.code, healthy.out]).toEqual([
    0,
    expect.stringMatching(/^2 states and \d+ rows of handled causes, 2 streams: each is what the log says \(\d\.\d s\)\n$/),
  ]);

  const stream = deploymentStream(id);
  await world.aws.clients.dynamodb.send(
    new PutItemCommand({ TableName: SNAPSHOTS_TABLE, Item: { pk: { S: stream }, sk: { S: "handled/nobodys" }, version: { N: "1" } } }),
  );
  const found = await shiplog("--verify");
  expect([found.code, found.out]).toEqual([5, `${stream}: a row names the commit nobodys, which the log does not have\n`]);
  expect(found.err).toContain("Of 1 stream the snapshots are not what the log says.\n");
  expect(found.err).toContain("with:  shiplog replay snapshots\n");
  const document = await shiplog("--verify", "--json");
  expect([document.code, JSON.parse(document.out)]).toMatchObject([5, { streams: 2, states: 2, foreign: 0, differences: [{ stream }] }]);

  proxy.calls.length = 0;
  const dropped = await shiplog();
  expect([dropped.code, dropped.out]).toEqual([0, expect.stringMatching(/^snapshots: [1-9]\d+ rows of 2 streams removed \(2\d\.\d s\)/)]);
  expect(dropped.err).toContain("waiting 10 seconds for engines that still look for rows");
  expect([...new Set(proxy.calls.map(({ name }) => name))].sort()).toEqual([
    `DynamoDB.BatchWriteItem ${SNAPSHOTS_TABLE}`,
    `DynamoDB.DeleteItem ${SNAPSHOTS_TABLE}`,
    `DynamoDB.GetItem ${SNAPSHOTS_TABLE}`,
    `DynamoDB.Query ${SNAPSHOTS_TABLE}`,
    `DynamoDB.Scan ${SNAPSHOTS_TABLE}`,
    `DynamoDB.Scan ${VIEWS_TABLE}`,
  ]);
  expect(await shiplog("--verify")).toMatchObject({
    code: 0,
    out: expect.stringContaining("nothing is kept: no stream is long enough yet"),
  });
  await world.live("kept");
});

it("says what it cannot be asked for, and what is missing", async () => {
  const restarted = await shiplog("--restart");
  expect([restarted.code, restarted.err]).toEqual([2, expect.stringContaining("there is nothing to --restart")]);
  const refusal = (type: string, message: string) => ({
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }),
  });
  proxy.refuse(({ name }) =>
    name === `DynamoDB.Scan ${SNAPSHOTS_TABLE}` ? refusal("AccessDeniedException", "not authorized to perform: dynamodb:Scan") : undefined,
  );
  const denied = await shiplog();
  expect([denied.code, denied.err]).toEqual([2, expect.stringMatching(/may not do that: not authorized .*Scan[\s\S]*docs\/aws.md/)]);
  proxy.refuse(({ name }) =>
    name === `DynamoDB.Scan ${SNAPSHOTS_TABLE}` ? refusal("ResourceNotFoundException", "no such table") : undefined,
  );
  const gone = await shiplog("--json");
  expect([gone.code, gone.err + gone.out]).toEqual([5, expect.stringContaining("table.missing")]);
  proxy.refuse(() => undefined);
});
