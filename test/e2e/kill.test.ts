import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startCrashing } from "../support/crash.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import type { KillPoint } from "../support/kill-points.ts";
import { expectEveryPromise } from "../support/promises.ts";
import { until } from "../support/until.ts";

/**
 * The whole process is killed with -9 at a point and started again on the same folder: the deployment reaches its end,
 * and everything that the engine promises holds.
 */
const SITE = "app";
const PLACE = [SITE, "production"] as const;

/** In the middle of a deployment: one after every kind of event, and between an effect and its record. */
const WHILE_DEPLOYING: readonly KillPoint[] = [
  "event:DeploymentAdmitted",
  "event:DeploymentQueued",
  "event:BuildStarted",
  "event:BuildSucceeded",
  "event:ReleaseStarted",
  "event:AssetsPublished",
  "event:VersionsPublished",
  "event:ChecksPassed",
  "event:FlipRequested",
  "event:FlipStarted",
  "event:AliasFlipped:1",
  "event:AliasFlipped:2",
  "event:AliasFlipped:3",
  "event:ReleaseWentLive",
  "event:DeploymentSucceeded",
  "call:UpdateKeys",
  "call:StartBuild",
  "call:PutObject:3",
  "call:BatchWriteItem",
  "call:UpdateFunctionConfiguration",
  "call:UpdateFunctionCode:2",
  "call:UpdateAlias:1",
  "call:UpdateAlias:2",
  "call:UpdateAlias:3",
  "call:CreateFunctionUrlConfig",
  "before:PutEvents:2",
  "call:PutEvents:4",
  "before:DeleteMessage:5",
];
const WHILE_ROLLING_BACK: readonly KillPoint[] = [
  "event:EnvironmentPinned",
  "call:UpdateAlias:1",
  "call:UpdateKeys",
  "event:ReleaseWentLive",
];
const WHILE_UNPINNING: readonly KillPoint[] = ["event:EnvironmentUnpinned", "call:UpdateAlias:2"];

let root: string;
let app: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "shiplog-kill-"));
  app = join(root, SITE);
  await writeFixtureApp(app);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const start = (dataDir: string): Promise<Development> =>
  startDevelopment({ tableDelayMs: 0, dataDir, appDir: app, reconcileEveryMs: 1_000, log: () => {} });
const clientOf = ({ apiUrl, token }: Development): ApiClient => apiClient(apiUrl, token);
const reached = (api: ApiClient, id: string, status: DeploymentView["status"]): Promise<DeploymentView> =>
  until(
    `${id} to be ${status}`,
    async () => {
      const view = await api.deployment(id);
      if (view.status === status) return view;
      if (["failed", "cancelled", "superseded", "success"].includes(view.status))
        throw new Error(`${id} is ${view.status}: ${view.reason}`);
      return undefined;
    },
    60_000,
  );

/** Asks with a key, again after the restart where the answer was lost: that is what a client does. */
const ask = async (api: ApiClient, path: string, body: object, key: string) => {
  const answer = await api.post(path, body, { "idempotency-key": key }).catch(() => undefined);
  return answer?.status === 202 || answer?.status === 200 ? answer.body : undefined;
};

const livedThrough = async (
  prepare: (api: ApiClient) => Promise<void>,
  path: string,
  body: (api: ApiClient) => Promise<object>,
  point: KillPoint,
) => {
  const dataDir = await mkdtemp(join(root, "data-"));
  const before = await start(dataDir);
  await prepare(clientOf(before));
  const asked = await body(clientOf(before));
  await before.close();

  const key = randomUUID();
  const crashing = await startCrashing(dataDir, app, point);
  await ask(crashing.api, path, asked, key);
  expect(await crashing.died(), `${point} was reached`).toBe("SIGKILL");

  const dev = await start(dataDir);
  const answer = await ask(clientOf(dev), path, asked, key);
  return { dev, api: clientOf(dev), answer };
};

const deployed = async (api: ApiClient, status: DeploymentView["status"] = "success"): Promise<string> =>
  (await reached(api, (await api.deploy(...PLACE, await api.upload(SITE, app))).id, status)).id;

describe.concurrent("killed with -9 and started again", () => {
  it.each(WHILE_DEPLOYING)("a deployment reaches its end: %s", async (point) => {
    const { dev, api, answer } = await livedThrough(
      async () => {},
      "deployments",
      async (api) => ({ site: SITE, environment: "production", source: await api.upload(SITE, app) }),
      point,
    );
    try {
      await reached(api, answer.deployment.id, "success");
      await expectEveryPromise(dev);
    } finally {
      await dev.close();
    }
  });

  it.each(WHILE_ROLLING_BACK)("a rollback reaches its end: %s", async (point) => {
    const ids: string[] = [];
    const { dev, api, answer } = await livedThrough(
      async (api) => {
        ids.push(await deployed(api), await deployed(api));
      },
      `environments/${SITE}/production/rollback`,
      async () => ({}),
      point,
    );
    try {
      await until("the rollback to be live", async () => (await api.environment(...PLACE)).live?.sequence === answer.sequence, 60_000);
      expect((await api.environment(...PLACE)).live?.deploymentId).toBe(ids[0]);
      await expectEveryPromise(dev);
    } finally {
      await dev.close();
    }
  });

  it.each(WHILE_UNPINNING)("a held deployment goes live once it is released: %s", async (point) => {
    let held = "";
    const { dev, api } = await livedThrough(
      async (api) => {
        await deployed(api);
        await api.change(...PLACE, "pin", { reason: "a quiet evening" });
        held = await deployed(api, "held");
      },
      `environments/${SITE}/production/unpin`,
      async () => ({}),
      point,
    );
    try {
      await reached(api, held, "success");
      expect((await api.environment(...PLACE)).live?.deploymentId).toBe(held);
      await expectEveryPromise(dev);
    } finally {
      await dev.close();
    }
  });
});
