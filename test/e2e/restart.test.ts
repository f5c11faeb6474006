import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { type KillableShiplog, startKillable } from "../support/killable-shiplog.ts";
import { expectNoOrphans } from "../support/orphans.ts";
import { deploy, ENVIRONMENT, ended, SITE } from "../support/pasts.ts";
import { expectSound } from "../support/sound.ts";
import { until } from "../support/until.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
const started: KillableShiplog[] = [];
const start = async (): Promise<KillableShiplog> => {
  const shiplog = await startKillable(at("data"), at("sites.json"));
  started.push(shiplog);
  return shiplog;
};
/** Stops it; it must end by itself, which it can't while anything listens or waits, and leave no process behind. */
const stopped = async (shiplog: KillableShiplog): Promise<void> => {
  expect(await shiplog.stop(), shiplog.output()).toBe(0);
  await expectNoOrphans(at("data"));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-restart-"));
  await writeFixtureApp(at("app"));
  await writeFixtureApp(at("slow-app"), { takes: 1_500 });
  await writeFile(at("sites.json"), JSON.stringify({ sites: [{ name: SITE, source: "app", environments: [{ name: ENVIRONMENT }] }] }));
});
afterEach(async () => {
  for (const shiplog of started.splice(0)) await shiplog.stop();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const { project, secret } = siteResources(SITE, ENVIRONMENT);
const text = async (url: string): Promise<(string | number | null)[]> => {
  const answer = await fetch(url);
  return [answer.status, answer.headers.get("x-shiplog-deployment"), await answer.text()];
};
/** What visitors, users and the engine see. */
const everything = async ({ api, access, siteUrl, clients }: KillableShiplog) => ({
  served: await Promise.all(
    ["/release.txt", "/_next/static/chunks/shared-0a1b2c3d4e5f.js", "/robots.txt"].map((path) => text(siteUrl + path)),
  ),
  page: (await text(`${siteUrl}/ssr`)).slice(0, 2),
  access,
  deployments: (await api.get("deployments")).body,
  environment: await api.environment(SITE, ENVIRONMENT),
  events: (await api.get("events?limit=1000")).body.events,
  secret: (await clients.secrets.send(new GetSecretValueCommand({ SecretId: secret }))).SecretString,
  builds: (await clients.codeBuild.send(new ListBuildsForProjectCommand({ projectName: project }))).ids,
});

it("serves the live release at once after a stop and a start, and everything is as it was", async () => {
  const first = await start();
  const id = await ended(first.api, await deploy(first.api, at("app"), "first"), "success");
  await expectSound(first.clients, SITE, ENVIRONMENT);
  const before = await everything(first);
  expect(before.page).toEqual([200, id]);
  await stopped(first);
  await expect(fetch(first.siteUrl)).rejects.toThrow();

  const second = await start();
  expect(await everything(second)).toEqual(before);
  await stopped(second);
});

it("refuses a second process on the same folder and says what to do, and the first goes on", async () => {
  const first = await start();
  const data = at("data").replaceAll(".", "\\.");
  await expect(startKillable(at("data"), at("sites.json"))).rejects.toThrow(
    new RegExp(`${data} is in use by process \\d+: stop that one, or take another folder with --data`),
  );
  expect((await text(`${first.siteUrl}/ssr`))[0]).toBe(200);
  await stopped(first);
});

it("ends a running build when it stops, and builds it again under its id when it starts", async () => {
  const first = await start();
  const id = await deploy(first.api, at("slow-app"), "slow");
  const { buildId } = await until("the build to run", async () => {
    const deployment = await first.api.deployment(id);
    return deployment.status === "building" && deployment;
  });
  await stopped(first);

  const second = await start();
  await ended(second.api, id, "success");
  expect((await second.api.deployment(id)).buildId).toBe(buildId);
  await expectSound(second.clients, SITE, ENVIRONMENT);
  await stopped(second);
});
