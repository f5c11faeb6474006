import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { ListVersionsByFunctionCommand } from "@aws-sdk/client-lambda";
import { PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { cutShort, foreign } from "../support/bad-zips.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { machineArchitecture, type OutputFault } from "../support/fixture-output.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let live: string;
let hanging: string;
beforeAll(async () => {
  world = await startWorld({
    environments: ["production", "repaired", "constant"],
    site: { buildTimeoutMinutes: 480 },
    sites: [{ name: "slow", environments: [{ name: "production" }], buildTimeoutMinutes: 5 }],
    codeBuild: { minuteMs: 500 },
  });
  hanging = await world.deploy("production", { takes: 60_000 }, "slow");
  live = await world.live("production");
});
afterAll(() => world.close());

/** Everything that a release writes in an environment: objects, tags, versions. */
const written = async (environment = "production"): Promise<string[]> => {
  const { s3, dynamodb, lambda } = world.aws.clients;
  const { functions, tagTable } = world.resources(environment);
  const found: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKETS.static, Prefix: `web/${environment}/` }))
    found.push(...Contents.map(({ Key, ETag }) => `${Key} ${ETag}`));
  const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: tagTable }));
  found.push(...Items.map(({ tag, path }) => `${tag?.S} → ${path?.S}`));
  for (const FunctionName of Object.values(functions)) {
    const { Versions = [] } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    found.push(...Versions.map(({ Version, CodeSha256 }) => `${FunctionName}:${Version} ${CodeSha256}`));
  }
  return found.sort();
};

const liveGoesOn = async (): Promise<void> => {
  const answer = await fetch(`${world.urlOf("production")}/ssr`);
  expect([answer.status, answer.headers.get("x-shiplog-deployment")]).toEqual([200, live]);
  expect(await (await fetch(`${world.urlOf("production")}/release.txt`)).text()).toBe(`${live}\n`);
  expect((await world.api.environment("web", "production")).live?.sequence).toBe(1);
};

const fails = async (change: FixtureApp): Promise<DeploymentView> => world.reached(await world.deploy("production", change), "failed");

const other = machineArchitecture() === "x64" ? "arm64" : "x64";
const refused: [OutputFault, RegExp][] = [
  ["no-output-json", /left no open-next\.output\.json: run "npx open-next build"/],
  ["broken-output-json", /open-next\.output\.json is not JSON: the build was cut short/],
  ["no-server-bundle", /the bundle of the server function has no index\.mjs/],
  ["no-sharp", /has no sharp.*set imageOptimization\.install/],
  ["other-architecture", new RegExp(`has sharp-linux-${other}, but this site runs on .*set imageOptimization\\.install`)],
  ["edge-functions", /edge functions are not supported.*remove/],
  ["ecs", /a server of type "ecs" is not supported: use the aws-lambda wrapper/],
  ["broken-server-files", /required-server-files\.json .* is not JSON/],
  ["broken-seeds", /dynamodb-cache\.json is not .*: the build was cut short/],
];

describe("an output that cannot be deployed is refused before anything is written", () => {
  it.each(refused)("%s", async (fault, sentence) => {
    const before = await written();
    const { step, reason } = await fails({ fault });
    expect([step, reason]).toEqual(["publish", expect.stringMatching(sentence)]);
    expect(await written()).toEqual(before);
    await liveGoesOn();
  });
});

describe("an archive that is not what the build left is refused before anything is written", () => {
  it.each([
    [
      "one that somebody put in its place",
      foreign,
      /output\.zip .* is not what the build left \(its SHA-256 is .*\): somebody wrote another/,
    ],
    ["one that was cut short", cutShort, /is not what the build left/],
    ["one that is gone", undefined, /artifact .* is gone.*: deploy again/],
  ])("%s", async (_, make, sentence) => {
    const before = await written();
    // what the build left is exchanged before anybody hears that it ended
    world.aws.endpoint.dropEvents((event) => event.source === "aws.codebuild");
    const id = await world.deploy("production");
    await until("the build to end", async () => {
      const { buildId } = await world.api.deployment(id);
      return buildId !== null && (await world.dev.engine.builds.get([buildId]))[0]?.status === "SUCCEEDED";
    });
    const place = { Bucket: BUCKETS.artifacts, Key: `${world.resources("production").builds}/${id}/output.zip` };
    if (make === undefined) await world.dev.engine.objects.remove(place.Bucket, [place.Key]);
    else await world.aws.clients.s3.send(new PutObjectCommand({ ...place, Body: await make() }));
    world.aws.endpoint.dropEvents(undefined);
    await world.reconcile(undefined);

    const { step, reason } = await world.reached(id, "failed");
    expect([step, reason]).toEqual(["publish", expect.stringMatching(sentence)]);
    expect(await written()).toEqual(before);
    await liveGoesOn();
  });
});

describe("a release that does not work never goes live", () => {
  it.each([
    ["server-crashes", /server:\d+ did not pass its check \(GET \/\): it failed .*this release can not start/],
    ["server-answers-500", /server:\d+ did not pass its check \(GET \/\): it answered 500/],
  ] as const)("%s", async (fault, sentence) => {
    const { step, reason } = await fails({ fault });
    expect([step, reason]).toEqual(["check", expect.stringMatching(sentence)]);
    await liveGoesOn();
  });
});

it("tells why a build failed", async () => {
  const { step, reason, id } = await fails({ failsWith: "the tide table is missing" });
  expect([step, reason]).toEqual(["build", "the tide table is missing"]);
  const { body } = await world.api.get(`deployments/${id}/logs`);
  expect(body.lines.map(({ message }: { message: string }) => message)).toContain("the tide table is missing");
  await liveGoesOn();
});

it("stops a build that hangs at its time limit", async () => {
  const { step, reason } = await world.reached(hanging, "failed");
  expect([step, reason]).toEqual(["build", expect.stringMatching(/longer than its time limit.*buildTimeoutMinutes/)]);
});

describe("a build whose BUILD_ID is the same in every build", () => {
  it("keeps its cache and tags by the release, and says nothing of it", async () => {
    const id = await world.live("repaired", { fault: "other-build-id" });
    expect((await world.api.deployment(id)).warnings).toEqual([]);
    const { cache } = world.resources("repaired");
    const all = await written("repaired");
    const entries = all.filter((line) => line.startsWith(`${cache}/`) || line.includes("→"));
    expect(entries).toHaveLength(6);
    for (const entry of entries) expect(entry).not.toContain("another-build");
    expect(entries.filter((entry) => entry.includes(`${id}/`))).toHaveLength(6);
  });

  it("serves the manifests of the release that is live, also after a rollback", async () => {
    const manifest = async () => (await fetch(`${world.urlOf("constant")}/_next/static/another-build/_buildManifest.js`)).text();
    const one = await world.live("constant", { fault: "other-build-id" });
    expect(await manifest()).toContain(one);
    const two = await world.live("constant", { fault: "other-build-id" });
    expect(await manifest()).toContain(two);
    await world.api.rollback("web", "constant");
    await until("the first release to be live", async () => (await world.api.environment("web", "constant")).live?.deploymentId === one);
    expect(await manifest()).toContain(one);
  });
});
