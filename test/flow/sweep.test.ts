import { CreateAliasCommand, DeleteFunctionCommand, ListAliasesCommand, ListVersionsByFunctionCommand } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describe as fenceText } from "../../domain/environment/fence.ts";
import { wire as endRelease } from "../../services/end-release/handler.ts";
import { wire as reconcileOf } from "../../services/reconcile/handler.ts";
import { wire as sweepOf } from "../../services/sweep/handler.ts";
import { startWorld, type World } from "../support/world.ts";

/** This site keeps what is live and what a rollback goes to, and nothing for its age; what is marked may go at once. */
let world: World;
beforeAll(async () => {
  const site = { skewHours: 0, keep: { releases: 1, days: 0, window: 0, wait: 0 } };
  world = await startWorld({
    environments: ["swept", "kept", "served", "addressed", "tried", "killed", "died", "moved", "dead", "lost"],
    site,
  });
});
afterAll(() => world.close());

const LATER_MS = 11 * 60_000;
const record = (body: string) => ({
  messageId: `m-${Math.random()}`,
  receiptHandle: "none",
  body,
  attributes: { ApproximateReceiveCount: "1" },
});
type Batch = Parameters<ReturnType<typeof sweepOf>>[0];

/** The engine eleven minutes from now, with these parts changed. */
const later = (change: object = {}, ms = LATER_MS) => {
  const { engine } = world.dev;
  return { ...engine, clock: { ...engine.clock, now: () => engine.clock.now() + ms }, ...change };
};

/** Releases whose window is over lose their addresses. */
const endAll = async (environment: string): Promise<void> => {
  const { engine } = world.dev;
  // who sweeps when is this test's to say
  const send = async (consumer: string, body: string) => (consumer === "sweep" ? undefined : engine.queues.send(consumer, body));
  await reconcileOf({ ...engine, queues: { ...engine.queues, send } })(undefined);
  for (const event of await world.eventsOf(environment, "ReleaseEnded")) {
    const body = JSON.stringify({ version: "0", source: "shiplog.environment", "detail-type": event.type, detail: event });
    await endRelease(later())({ Records: [record(body)] } as unknown as Batch);
  }
};

/** One step of an environment's sweep, which a person asks for. */
const sweep = async (environment: string, change: object = {}, ms = LATER_MS): Promise<number> => {
  const body = JSON.stringify({ site: "web", environment, actor: "alice", cause: `test/${Math.random()}` });
  return (await sweepOf(later(change, ms))({ Records: [record(body)] } as unknown as Batch)).batchItemFailures.length;
};

const versionsOf = async (environment: string): Promise<string[]> => {
  const { lambda } = world.aws.clients;
  const { Versions = [] } = await lambda.send(
    new ListVersionsByFunctionCommand({ FunctionName: world.resources(environment).functions.server }),
  );
  return Versions.flatMap(({ Version }) => (Version === undefined || Version === "$LATEST" ? [] : [Version]));
};
const keysBelow = async (bucket: "static" | "artifacts", prefix: string): Promise<string[]> => {
  const { Contents = [] } = await world.aws.clients.s3.send(
    new ListObjectsV2Command({ Bucket: world.dev.engine.config.buckets[bucket], Prefix: prefix }),
  );
  return Contents.map(({ Key = "" }) => Key);
};
const answeredBy = async (environment: string): Promise<string | null> => {
  const answer = await fetch(world.urlOf(environment), { headers: { accept: "text/html" } });
  await answer.body?.cancel();
  return answer.status === 200 ? answer.headers.get("x-shiplog-deployment") : String(answer.status);
};
const versionOf = async (id: string): Promise<string> =>
  (await world.api.deployment(id)).release?.functions.find(({ role }) => role === "server")?.version ?? "none";

/** Everything that has a deployment's id in its key. */
const leftOf = async (environment: string, id: string): Promise<string[]> => {
  const { releases, cache, assets, builds } = world.resources(environment);
  const all = await Promise.all([
    keysBelow("static", `${releases}/`),
    keysBelow("static", `${cache}/`),
    keysBelow("static", `${assets}/`),
    keysBelow("artifacts", `${builds}/`),
  ]);
  return all.flat().filter((key) => key.includes(id));
};

it("marks what nothing keeps, takes all of it away, leaves what is live and the way back, and says by which rule", async () => {
  const first = await world.live("swept");
  const second = await world.live("swept");
  const third = await world.live("swept");
  const versions = await Promise.all([first, second, third].map(versionOf));
  await endAll("swept");
  expect(await leftOf("swept", first)).not.toEqual([]);

  expect(await sweep("swept")).toBe(0);
  const [marked] = await world.eventsOf("swept", "ReleasesMarked");
  expect(marked).toMatchObject({
    actor: "alice",
    body: { mark: 1, releases: [{ deploymentId: first, release: first, rule: "was-live" }] },
  });
  expect(await versionsOf("swept")).toContain(versions[0]);

  const { objects } = world.dev.engine;
  const listed: string[] = [];
  const pages: typeof objects.pages = (bucket, folder) => {
    listed.push(folder);
    return objects.pages(bucket, folder);
  };
  expect(await sweep("swept", { objects: { ...objects, pages } })).toBe(0);
  // not a second time while the claim lasts: there may be millions
  expect(listed.filter((folder) => folder === `${world.resources("swept").assets}/`)).toHaveLength(1);
  const [ended] = await world.eventsOf("swept", "SweepEnded");
  expect(ended?.body).toMatchObject({ mark: 1, releases: 1, taken: { versions: expect.any(Number), artifacts: 1 } });
  expect(ended?.body).not.toHaveProperty("left");
  expect(ended?.body.bytes).toBeGreaterThan(0);
  expect(await leftOf("swept", first)).toEqual([]);
  const there = await versionsOf("swept");
  expect([there.includes(versions[0] as string), there.includes(versions[1] as string), there.includes(versions[2] as string)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(await answeredBy("swept")).toBe(third);
  expect((await world.api.deployment(first)).swept).toMatchObject({ rule: "was-live", keep: { releases: 1, days: 0, window: 0 } });

  const refused = await world.api.rollback("web", "swept", first).catch((error: Error) => error.message);
  expect(String(refused)).toMatch(/was swept on .*: it was not among the last 1 that were live/);
  await world.api.rollback("web", "swept", second);
  await world.happened("swept", "the way back", ({ type, body }) => type === "ReleaseWentLive" && body.sequence === 4);
  expect(await answeredBy("swept")).toBe(second);
});

it("leaves what somebody has gone back to since it was marked", async () => {
  const first = await world.live("kept");
  await world.live("kept");
  const third = await world.live("kept");
  await endAll("kept");
  await sweep("kept");
  expect((await world.eventsOf("kept", "ReleasesMarked"))[0]?.body).toMatchObject({ releases: [{ deploymentId: first }] });
  await world.api.rollback("web", "kept", first);
  await world.happened("kept", "it to be live again", ({ type, body }) => type === "ReleaseWentLive" && body.sequence === 4);
  await sweep("kept");
  expect((await world.eventsOf("kept", "SweepEnded"))[0]?.body).toMatchObject({ releases: 0, taken: { versions: 0, files: 0 }, bytes: 0 });
  expect(await answeredBy("kept")).toBe(first);
  expect(await leftOf("kept", first)).not.toEqual([]);
  expect(await leftOf("kept", third)).not.toEqual([]);
});

type Asked = [name: string, key: string];
type Alias = { version: string; description: string };
/** The engine's parts as they are where an alias is not as the log says. */
const withAlias = (role: string, change: (found: Alias) => object) => {
  const { functions } = world.dev.engine;
  const alias = async (...asked: Asked) => {
    const found = await functions.alias(...asked);
    return found !== undefined && asked[0].endsWith(role) && asked[1] === "live" ? { ...found, ...change(found) } : found;
  };
  return { functions: { ...functions, alias } };
};
const withRow = (change: object) => {
  const { edgeTable } = world.dev.engine;
  const get = async (...asked: Asked): Promise<string | undefined> => {
    const text = await edgeTable.get(...asked);
    return text === undefined || !asked[1].startsWith("live:") ? text : JSON.stringify({ ...JSON.parse(text), ...change });
  };
  return { edgeTable: { ...edgeTable, get } };
};

it.each<[string, (id: string, version: string) => object]>([
  ["a flip that died right after it wrote its row", (id) => withRow({ release: id })],
  ["a hand that wrote a row which edges follow", (id) => withRow({ release: id, sequence: undefined })],
  [
    "one that died right after it moved an alias",
    (id) => withAlias("-image", () => ({ description: fenceText({ sequence: 1, deploymentId: id }) })),
  ],
  ["a hand that moved an alias", (_, version) => withAlias("-server", () => ({ version, description: "by hand" }))],
  ["a hand that sends a part there", (_, version) => withAlias("-server", () => ({ weights: { [version]: 0.1 } }))],
])("leaves what visitors are sent to, whatever the log says: by %s", async (_, sentBy) => {
  const broken = await world.deploy("served", { fault: "server-answers-500" });
  await world.reached(broken, "failed");
  await world.live("served");
  const published = (await world.api.events(`deployments/${broken}`)).find(({ type }) => type === "VersionsPublished");
  const versions = (published?.body.functions ?? []) as { role: string; version: string }[];
  const server = versions.find(({ role }) => role === "server");
  const sent = sentBy(broken, server?.version ?? "none");
  const before = (await world.eventsOf("served", "ReleasesMarked")).length;
  expect(await sweep("served", sent)).toBe(0);
  expect(await world.eventsOf("served", "ReleasesMarked")).toHaveLength(before);

  // once it is marked, it is looked at again
  await sweep("served");
  expect((await world.eventsOf("served", "ReleasesMarked"))[before]?.body).toMatchObject({ releases: [{ deploymentId: broken }] });
  await sweep("served", sent);
  expect((await world.eventsOf("served", "SweepEnded")).at(-1)?.body).toMatchObject({ releases: 0, bytes: 0 });
  expect(await leftOf("served", broken)).not.toEqual([]);

  await sweep("served");
  await sweep("served");
  expect(await leftOf("served", broken)).toEqual([]);
});

it.each([
  ["right after", "moved", false],
  ["after whoever claimed it has died", "dead", true],
])(
  "lets go what was claimed where a hand sends visitors there %s, and takes it once nobody is sent there",
  async (_, environment, died) => {
    const { functions } = world.dev.engine;
    const first = await world.live(environment);
    await world.live(environment);
    await world.live(environment);
    await endAll(environment);
    await sweep(environment);
    const version = await versionOf(first);
    const onceClaimed = (change: (found: Alias) => Alias) => {
      const alias = async (...asked: Asked) => {
        const found = await functions.alias(...asked);
        const isClaimed = asked[0].endsWith("-server") && (await world.eventsOf(environment, "SweepBegan")).length > 0;
        return found !== undefined && isClaimed ? { ...found, ...change(found) } : found;
      };
      return { functions: { ...functions, alias } };
    };
    const before = await leftOf(environment, first);
    const dies = onceClaimed(() => {
      throw Object.assign(new Error("Lambda is away"), { name: "ServiceUnavailable" });
    });
    if (died) expect(await sweep(environment, dies)).toBe(1);
    const moved = onceClaimed((found) => ({ ...found, version }));
    expect(await sweep(environment, moved, LATER_MS + 11 * 60_000)).toBe(0);
    const [off] = await world.eventsOf(environment, "SweepPutOff");
    expect(off?.body).toEqual({ mark: 1, reason: `visitors are sent to ${first} by now` });
    expect(await leftOf(environment, first)).toEqual(before);
    expect((await world.api.deployment(first)).swept).toBeNull();
    await sweep(environment, {}, LATER_MS + 22 * 60_000);
    expect(await leftOf(environment, first)).toEqual([]);
  },
);

it("drops a mark where by then the manifest of what is live is gone, and says so", async () => {
  const { s3 } = world.aws.clients;
  const first = await world.live("lost");
  await world.live("lost");
  const third = await world.live("lost");
  await endAll("lost");
  await sweep("lost");
  const manifest = { Bucket: world.dev.engine.config.buckets.static, Key: `${world.resources("lost").releases}/${third}.json` };
  const Body = (await (await s3.send(new GetObjectCommand(manifest))).Body?.transformToString()) ?? "";
  await s3.send(new DeleteObjectCommand(manifest));
  const before = await leftOf("lost", first);
  await sweep("lost");
  const [dropped] = await world.eventsOf("lost", "MarkDropped");
  expect(dropped?.body).toEqual({ mark: 1, reason: `nothing is swept while the manifests of releases that stay are gone: ${third}` });
  expect(await world.eventsOf("lost", "SweepBegan")).toEqual([]);
  expect(await leftOf("lost", first)).toEqual(before);

  await s3.send(new PutObjectCommand({ ...manifest, Body }));
  for (const _ of ["marked", "taken"]) await sweep("lost");
  expect(await leftOf("lost", first)).toEqual([]);
});

it("leaves the address that the edge's row names, whatever the log says of it", async () => {
  const { lambda } = world.aws.clients;
  const FunctionName = world.resources("addressed").functions.server;
  const live = await world.live("addressed");
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: "r-99", FunctionVersion: await versionOf(live) }));
  const aliases = async () => (await lambda.send(new ListAliasesCommand({ FunctionName }))).Aliases?.map(({ Name }) => Name);
  const sent = withRow({ address: 99 });
  await sweep("addressed", sent);
  expect(await world.eventsOf("addressed", "ReleasesMarked")).toEqual([]);
  await sweep("addressed");
  await sweep("addressed", sent);
  expect(await world.eventsOf("addressed", "SweepEnded")).toHaveLength(1);
  expect(await aliases()).toContain("r-99");
  for (const _ of ["marked", "taken"]) await sweep("addressed");
  expect(await aliases()).not.toContain("r-99");
});

it("leaves for some hours what a flip came to nothing of: whoever was at it may stand still, and go on", async () => {
  const first = await world.live("tried");
  await world.live("tried");
  await world.live("tried");
  await endAll("tried");
  // a part of it is gone, so that a flip to it fails
  const { functions } = world.resources("tried");
  await world.aws.clients.lambda.send(new DeleteFunctionCommand({ FunctionName: functions.server, Qualifier: await versionOf(first) }));
  await world.api.rollback("web", "tried", first, { force: true });
  await world.happened("tried", "its flip to fail", ({ type, body }) => type === "FlipFailed" && body.deploymentId === first);
  // also where something else is live since
  await world.live("tried");
  const marks = () => world.eventsOf("tried", "ReleasesMarked");
  const marked = async () =>
    (await marks()).flatMap(({ body }) => (body.releases as { deploymentId: string }[]).map((one) => one.deploymentId));
  const named = async () => (await marks()).flatMap(({ body }) => (body.others as { named: string[] }).named);
  const address = `address ${functions.image}:r-4`;
  // the second takes what was marked besides
  for (const _ of [1, 2]) await sweep("tried");
  await sweep("tried", {}, 3.9 * 3_600_000);
  expect([(await marked()).includes(first), (await named()).includes(address)]).toEqual([false, false]);
  await sweep("tried", {}, 4.1 * 3_600_000);
  expect([(await marked()).includes(first), (await named()).includes(address)]).toEqual([true, true]);
});

it("takes the rest of what whoever died in the middle left, and what never went live", async () => {
  const { engine } = world.dev;
  const broken = await world.deploy("killed", { fault: "server-answers-500" });
  await world.reached(broken, "failed");
  const first = await world.live("killed");
  await world.live("killed");
  const third = await world.live("killed");
  await endAll("killed");
  const stray = `${world.resources("killed").assets}/_next/static/lost.js`;
  await world.aws.clients.s3.send(new PutObjectCommand({ Bucket: engine.config.buckets.static, Key: stray, Body: "1" }));
  await sweep("killed");
  expect((await world.eventsOf("killed", "ReleasesMarked"))[0]?.body).toMatchObject({
    releases: [
      { deploymentId: broken, rule: "never-live" },
      { deploymentId: first, rule: "was-live" },
    ],
  });
  const died = async (change: object, ms = LATER_MS): Promise<void> => expect(await sweep("killed", change, ms)).toBe(1);
  const away = (): Promise<never> => Promise.reject(Object.assign(new Error("Lambda is away"), { name: "ServiceUnavailable" }));
  await died({ functions: { ...engine.functions, deleteVersion: away } });
  await died({ objects: { ...engine.objects, remove: away } });
  expect(await world.eventsOf("killed", "SweepBegan")).toHaveLength(1);
  // once its time is over, the claim is another's
  await died({ objects: { ...engine.objects, remove: away } }, LATER_MS + 11 * 60_000);
  expect(await world.eventsOf("killed", "SweepBegan")).toHaveLength(2);
  expect(await sweep("killed", {}, LATER_MS + 22 * 60_000)).toBe(0);
  expect(await leftOf("killed", first)).toEqual([]);
  expect(await leftOf("killed", broken)).toEqual([]);
  expect(await keysBelow("static", stray)).toEqual([]);
  expect((await world.eventsOf("killed", "SweepEnded"))[0]?.body).not.toHaveProperty("left");
  expect(await answeredBy("killed")).toBe(third);
});

it("leaves of a release all that it needs where a version of it could not be taken, names that, and takes it the next time", async () => {
  const { engine } = world.dev;
  const first = await world.live("died");
  await world.live("died");
  await world.live("died");
  await endAll("died");
  await sweep("died");
  const before = await leftOf("died", first);
  const held = {
    ...engine.functions,
    deleteVersion: async (name: string, version: string) =>
      name.endsWith("-server") ? false : engine.functions.deleteVersion(name, version),
  };
  expect(await sweep("died", { functions: held })).toBe(0);
  const [ended] = await world.eventsOf("died", "SweepEnded");
  expect(ended?.body.left).toEqual({
    count: 1,
    named: [
      { thing: expect.stringMatching(/^version shiplog-web-died-server:\d+$/), because: "an alias is at it: somebody put one there" },
    ],
  });
  expect(await leftOf("died", first)).toEqual(before);
  await sweep("died");
  await sweep("died");
  const [, again] = await world.eventsOf("died", "SweepEnded");
  expect(again?.body).toMatchObject({ releases: 1, taken: { versions: 1 } });
  expect(again?.body).not.toHaveProperty("left");
  expect(await leftOf("died", first)).toEqual([]);
});
