import { hash } from "node:crypto";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VIEWS_TABLE } from "../../blueprint/topology.ts";
import { viewNames } from "../../engine/views/read-models.ts";
import { type FoundRow, viewText } from "../../engine/views/view-items.ts";
import { type Engine, engine as engineOf, systemClock } from "../../engine/wiring/engine.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { rowKey } from "../../operator/replay/folding.ts";
import { verifyViews } from "../../operator/replay/replay.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { longHistory } from "../support/long-history.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { rowsOf } from "../support/rows-of.ts";
import { siteConfigOf } from "../support/site-config.ts";

const TOKEN = "token";
const commits = [...longHistory({ seed: 7, events: 150, sites: ["web"], environments: ["production"] })];
const expected = rowsOf(commits);
let room: ReplayRoom;
let engine: Engine;
let app: ReturnType<typeof createApi>;
/** how often each stream was read */
let reads: string[];

beforeAll(async () => {
  room = await startReplayRoom();
  await room.write(commits);
  const config = {
    ...localNames,
    sites: [siteConfigOf("web", "production")],
    tokens: { ada: hash("sha256", TOKEN, "hex") },
  };
  engine = engineOf(config, room.clients, systemClock, () => undefined);
  const ports = apiPorts(engine);
  app = createApi(ports);
  room.clients.dynamodb.middlewareStack.add(
    (next) => async (args) => {
      const stream = (args.input as { ExpressionAttributeValues?: { ":stream"?: { S: string } } }).ExpressionAttributeValues?.[":stream"]
        ?.S;
      if (stream !== undefined) reads.push(stream);
      return next(args);
    },
    { step: "initialize" },
  );
});
afterAll(() => room.close());

const found = async (): Promise<FoundRow[]> => (await Array.fromAsync(room.items.scan(0, 1))).flat();
const ask = async (path: string) => {
  const answer = await app.request(`/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
};
/** Rows as another engine left them: what they show has other names, and their shape is another or none. */
const another = async (shape: { N: string } | undefined): Promise<void> => {
  for (const { item } of await found()) {
    const { drifts, warnings, filters, ...view } = JSON.parse(viewText(item)) as Record<string, unknown>;
    const { shape: _, ...rest } = item;
    const Item = { ...rest, view: { S: JSON.stringify({ ...view, drift: null, remarks: warnings }) }, ...(shape && { shape }) };
    await room.clients.dynamodb.send(new PutItemCommand({ TableName: VIEWS_TABLE, Item }));
  }
};

describe.each([
  ["an older engine", undefined],
  ["a newer engine, before a step back", { N: "999" }],
])("rows that %s wrote", (_, shape) => {
  beforeEach(async () => {
    reads = [];
    for (const commit of commits) if (commits.findLast(({ stream }) => stream === commit.stream) === commit) await room.project(commit);
    await another(shape);
    reads = [];
  });

  it("are told from the log by every command, at once", async () => {
    const { status, body } = await ask("environments");
    expect([status, body.environments]).toEqual([
      200,
      [
        {
          ...(expected.get(rowKey("environments", "environment/web/production")) as object),
          url: "https://web.example.com",
          edgeKeys: [],
          declaredVariables: ["NEXT_SERVER_ACTIONS_ENCRYPTION_KEY"],
          functions: ["server", "image", "revalidation"].map((role) => `shiplog-web-production-${role}`),
        },
      ],
    ]);
    const { deployments } = (await ask("deployments?limit=5")).body as unknown as { deployments: { id: string }[] };
    expect(deployments).toHaveLength(5);
    for (const deployment of deployments) {
      expect(deployment).toEqual(expected.get(rowKey("deployments", `deployment/${deployment.id}`)));
      expect((await ask(`deployments/${deployment.id}`)).body.deployment).toEqual(deployment);
      expect((await ask(`deployments/${deployment.id.slice(0, -1)}`)).status).toBeLessThan(500);
    }
    for (const webhook of await engine.views.webhooks()) expect(webhook).toEqual(expected.get(rowKey("webhooks", `webhook/${webhook.id}`)));
  });

  it("are made anew once, and cost no more than others after that", async () => {
    const first = await ask("deployments?limit=100");
    const streams = commits
      .map(({ stream }) => stream)
      .filter((stream, at, all) => stream.startsWith("deployment/") && all.indexOf(stream) === at);
    expect(new Set(reads)).toEqual(new Set(streams));
    reads = [];
    expect(await ask("deployments?limit=100")).toEqual(first);
    expect(reads).toEqual([]);
  });

  it("are projected from their streams' beginning, and verified as what they are", async () => {
    const before = await verifyViews(room.ports(), { views: viewNames, from: "table" });
    expect([before.outdated, before.differences]).toEqual([expected.size, []]);
    for (const [key, row] of expected)
      await room.project({ stream: key.split(" ")[1] ?? "", version: (row as { version: number }).version });
    expect(new Map((await found()).map(({ view, stream, item }) => [rowKey(view, stream), JSON.parse(viewText(item))]))).toEqual(expected);
    const after = await verifyViews(room.ports(), { views: viewNames, from: "table" });
    expect([after.outdated, after.differences]).toEqual([0, []]);
  });
});

describe("the pointer to the rows that count", () => {
  it("of an engine with fewer or more read models is read, and what it says of others is kept", async () => {
    const put = (live: Record<string, number>) => engine.views.changeGenerations((now) => ({ ...now, live: live as typeof now.live }));
    await put({ deployments: 0 });
    expect((await engine.views.generations()).live).toEqual({ deployments: 0, environments: 0, webhooks: 0, sessions: 0 });
    await put({ deployments: 0, environments: 0, webhooks: 0, sweeps: 4 });
    await engine.views.changeGenerations((now) => ({ ...now, last: 9, building: { generation: 9, views: ["sweeps"] } }));
    expect(await engine.views.generations()).toMatchObject({ live: { sweeps: 4 }, last: 9, building: { views: ["sweeps"] } });
    expect((await ask("environments")).status).toBe(200);
  });
});
