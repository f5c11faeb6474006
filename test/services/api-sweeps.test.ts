import { PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { queueName } from "../../blueprint/topology.ts";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import type { Keep } from "../../domain/environment/keep.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { type ApiRoom, openApiRoom, READ_TOKEN } from "../support/api-room.ts";
import { inLog } from "../support/in-log.ts";
import { artifact, check, deploymentId, functions, release, request, versionOf } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

/** Two of four releases stay for having been live last, and a rollback goes to one of them. */
const KEEP = { releases: 1, days: 0, window: 0, wait: 24 };
const RULE: Keep = { releases: 1, days: 0, window: 0 };
const place = "/environments/web/production";
let room: ApiRoom;
beforeAll(async () => {
  const sites = { sites: [{ ...siteConfigOf("web", "production"), keep: KEEP }, siteConfigOf("shop", "production")] };
  // this room has no Lambda: every server's version has a megabyte, that of a dead publisher two
  const versions = async (name: string) =>
    name === "web-production-server"
      ? [1, 2, 3, 4, 9].map((n) => versionOf(String(n), { bytes: n === 9 ? 2_000_000 : 1_000_000 }))
      : (name === "web-production-revalidation" ? [1, 2, 3] : []).map((n) => versionOf(String(n), { bytes: 500_000 }));
  room = await openApiRoom(sites, (_, engine) =>
    apiPorts({ ...engine, addresses: { ...engine.addresses, aliases: async () => [] }, functions: { ...engine.functions, versions } }),
  );
  for (const n of [1, 2, 3, 4]) await goLive(n);
  await put(`${siteResources("web", "production").assets}/_next/stray.js`, "12345");
}, 60_000);
afterAll(() => room.close());

const because = (cause: string) => ({ cause, correlation: cause, actor: "test" });
const give = (command: Parameters<ApiRoom["engine"]["aggregates"]["environment"]["execute"]>[2], cause: string) =>
  room.engine.aggregates.environment.execute("web", "production", command, because(cause));
/** The fourth has the third's code of the revalidation. */
const functionsOf = (n: number) => functions(n).map((one) => (n === 4 && one.role === "revalidation" ? { ...one, version: "3" } : one));
/** Its release has a manifest, and one file that none of the others has. */
const goLive = async (n: number): Promise<void> => {
  const [id, at] = [deploymentId(n), new Date().toISOString()];
  await give({ type: "AdmitDeployment", request: request(n), actor: "ada", at }, `${n}/admit`);
  const commands: DeploymentCommand[] = [
    { type: "QueueDeployment", request: request(n), sequence: n },
    { type: "RecordBuildStarted", buildId: `b:${n}`, logs: "/aws/codebuild/b" },
    { type: "RecordBuildSucceeded", buildId: `b:${n}`, artifact: artifact(n) },
    { type: "StartRelease", releaseId: id },
    { type: "RecordVersions", functions: functionsOf(n) },
    { type: "RecordChecksPassed", release: release(n), checks: [check(n)] },
  ];
  for (const command of commands) await room.engine.aggregates.deployment.execute(id, command, because(`${n}/${command.type}`));
  await give({ type: "RequestFlip", deploymentId: id, sequence: n, release: release(n), actor: "ada", at }, `${n}/flip`);
  await give({ type: "RecordWentLive", sequence: n }, `${n}/live`);
  for (const type of ["StartFlip", "SucceedDeployment"] as const)
    await room.engine.aggregates.deployment.execute(id, { type, sequence: n }, because(`${n}/${type}`));
  const manifest = { v: 2, deploymentId: id, releaseId: id, publicFiles: [], versioned: [`_next/static/chunks/${n}.js`] };
  await put(`${siteResources("web", "production").releases}/${id}.json`, JSON.stringify(manifest));
};
const put = (Key: string, Body: string) =>
  room.clients.s3.send(new PutObjectCommand({ Bucket: room.engine.config.buckets.static, Key, Body }));
const sweepOf = async (query = "") => (await room.ask("GET", `${place}/sweep${query}`)).body;
const version = async (): Promise<number> => (await room.ask("GET", place)).body.environment.version;
/** Takes what the consumer `sweep` was sent. */
const messages = async (): Promise<unknown[]> => {
  const { QueueUrl } = await room.clients.sqs.send(new GetQueueUrlCommand({ QueueName: queueName("sweep") }));
  const { Messages = [] } = await room.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = "" }) => JSON.parse(Body));
};

describe("what stays and what goes", () => {
  it("is told by release, each with its rule, its sentence and the code that no other has, and changes nothing", async () => {
    const before = await version();
    const { sweep, explained } = await sweepOf();
    expect(explained).toBeNull();
    expect(sweep.keep).toEqual(KEEP);
    expect(sweep.releases).toMatchObject([
      {
        deploymentId: deploymentId(1),
        sequence: 1,
        stays: null,
        goes: "was-live",
        because: expect.stringContaining("it was not among the last 1"),
      },
      { sequence: 2, stays: null, goes: "was-live" },
      { sequence: 3, stays: "way-back", goes: null, because: "a rollback goes there", bytes: 1_000_000 },
      { sequence: 4, stays: "live", goes: null, because: "it is live", bytes: 1_000_000 },
    ]);
    expect(sweep).toMatchObject({ marked: null, swept: null, strangers: [], others: ["version web-production-server:9", "files 1"] });
    expect(sweep.bytes).toEqual({ stay: 2_500_000, go: 5_000_005 });
    expect(await version()).toBe(before);
  });

  it("has 404 for an environment that is not declared, and 400 for a question of nothing", async () => {
    expect(await room.ask("GET", "/environments/web/nope/sweep")).toMatchObject({
      status: 404,
      body: { error: { code: "environment.unknown" } },
    });
    expect(await room.ask("GET", `${place}/sweep?explain=`)).toMatchObject({ status: 400, body: { error: { code: "query.invalid" } } });
  });

  it.each([
    ["a deployment", deploymentId(4), true, `${deploymentId(4)} (#4): it is live`],
    ["a version", "web-production-server:1", false, `${deploymentId(1)} (#1): it was not among the last 1`],
    ["a path", "/_next/static/chunks/3.js", true, "a rollback goes there"],
    ["what nobody knows", "no-such-thing", false, "nothing of that name is known in web/production"],
  ] as const)("explains %s", async (_, thing, stays, said) => {
    const { explained } = await sweepOf(`?explain=${encodeURIComponent(thing)}`);
    expect(explained).toMatchObject({ thing, stays, because: expect.stringContaining(said) });
  });

  it("says of a beginning that several deployments have which these are", async () => {
    for (const n of [1, 2])
      await room.engine.views.rows(0).deployments.put((await room.ask("GET", `/deployments/${deploymentId(n)}`)).body.deployment);
    const { status, body } = await room.ask("GET", `${place}/sweep?explain=dep_0000`);
    expect([status, body.error.code]).toEqual([409, "id.ambiguous"]);
    expect(body.error.candidates).toContain(deploymentId(1));
  });

  it("says of a deployment of another environment where to ask", async () => {
    const other = deploymentId(7);
    const queued = { type: "QueueDeployment", request: request(7, { site: "shop" }), sequence: 1 } as const;
    await room.engine.aggregates.deployment.execute(other, queued, because("shop"));
    expect((await sweepOf(`?explain=${other}`)).explained).toMatchObject({ stays: false, because: "it is of shop/production: ask there" });
  });
});

describe("asking for a step", () => {
  it("sends who asked, and with which cause, once for each key", async () => {
    const key = { "idempotency-key": "sweep-1" };
    expect(await room.ask("POST", `${place}/sweep`, {}, key)).toMatchObject({ status: 202, body: { asked: true } });
    await room.ask("POST", `${place}/sweep`, {}, key);
    const [first, second, ...more] = await messages();
    expect(first).toEqual({
      site: "web",
      environment: "production",
      actor: await inLog(room.engine, "alice (token default)"),
      cause: expect.stringMatching(/^api\//),
    });
    expect([second, more]).toEqual([first, []]);
  });

  it("is refused to a token that may only look, and with a field that it does not know", async () => {
    const reader = { authorization: `Bearer ${READ_TOKEN}` };
    expect(await room.ask("POST", `${place}/sweep`, {}, reader)).toMatchObject({
      status: 403,
      body: { error: { code: "token.read-only" } },
    });
    expect(await room.ask("POST", `${place}/sweep`, { now: true })).toMatchObject({ status: 400 });
    expect(await messages()).toEqual([]);
  });
});

describe("keeping by name", () => {
  const keep = (id: string, body: object = { reason: "an audit" }, at = place) => room.ask("POST", `${at}/releases/${id}/keep`, body);

  it("keeps a release that would go, with who said so and why, until it is unkept", async () => {
    const { status, body } = await keep(deploymentId(1));
    expect(status).toBe(200);
    expect(body.environment.kept).toMatchObject([{ deploymentId: deploymentId(1), reason: "an audit", actor: "alice (token default)" }]);
    expect((await sweepOf()).sweep.releases[0]).toMatchObject({
      stays: "kept",
      goes: null,
      because: "alice (token default) keeps it by name: an audit",
    });
    const unkept = await room.ask("POST", `${place}/releases/${deploymentId(1)}/unkeep`, { reason: "it is over" });
    expect(unkept.body.environment.kept).toEqual([]);
    expect((await sweepOf()).sweep.releases[0]).toMatchObject({ stays: null, goes: "was-live" });
  });

  it("needs a reason", async () => {
    expect(await keep(deploymentId(1), {})).toMatchObject({ status: 400, body: { error: { code: "body.invalid" } } });
  });

  it.each(["keep", "unkeep"])("refuses to %s what is of another environment, and names that", async (verb) => {
    const { status, body } = await room.ask("POST", `/environments/shop/production/releases/${deploymentId(1)}/${verb}`, {
      reason: "an audit",
    });
    expect([status, body.error.code]).toEqual([409, "release.unknown"]);
    expect(body.error.message).toBe(`shop/production cannot ${verb} ${deploymentId(1)}: it is of web/production.`);
  });

  it("refuses what was swept, and says when and by which rule", async () => {
    const swept = { type: "SweepRelease", mark: 1, rule: "was-live", keep: RULE } as const;
    await room.engine.aggregates.deployment.execute(deploymentId(2), swept, because("swept"));
    const { status, body } = await keep(deploymentId(2));
    expect([status, body.error.code]).toEqual([409, "release.swept"]);
    expect(body.error.message).toMatch(
      new RegExp(
        `^web/production cannot keep ${deploymentId(2)}: ${deploymentId(2)} was swept on 20\\S+Z: it was not among the last 1 that were live.*Deploy its commit again\\.$`,
      ),
    );
  });

  it("says of a release that was swept, and of which something is left, that it was and when", async () => {
    const [, second] = (await sweepOf()).sweep.releases;
    expect(second).toMatchObject({
      goes: "was-live",
      because: expect.stringMatching(/^it was swept on 20\S+Z: .*; something of it was left$/),
    });
  });
});
