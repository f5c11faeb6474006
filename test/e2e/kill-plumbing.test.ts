import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KillPoint } from "../support/kill-point.ts";
import { type KillableShiplog, startKillable } from "../support/killable-shiplog.ts";
import { expectNoOrphans } from "../support/orphans.ts";
import { deploy, ENVIRONMENT, ended, makePasts, type Past, type Pasts, SITE } from "../support/pasts.ts";
import { expectSound } from "../support/sound.ts";
import { until } from "../support/until.ts";

/** What is asked for before the kill, and how it must end after it. */
type Story = {
  readonly past: Past;
  ask(shiplog: KillableShiplog, app: string): Promise<unknown>;
  end(shiplog: KillableShiplog): Promise<unknown>;
};

const eventsOf = ({ api }: KillableShiplog) => api.events(`environments/${SITE}/${ENVIRONMENT}`);
const admitted = async (shiplog: KillableShiplog): Promise<string[]> =>
  (await eventsOf(shiplog)).filter(({ type }) => type === "DeploymentAdmitted").map(({ body }) => body.deploymentId);
const newest = async (shiplog: KillableShiplog): Promise<string> => (await admitted(shiplog)).at(-1) ?? "none";

const stories = {
  "a deployment": {
    past: "one is live",
    ask: ({ api }, app) => deploy(api, app, "the-one"),
    end: async (shiplog) => {
      await ended(shiplog.api, await newest(shiplog), "success");
      expect(await admitted(shiplog)).toHaveLength(2);
    },
  },
  "a rollback": {
    past: "two were live",
    ask: ({ api }) => api.rollback(SITE, ENVIRONMENT),
    end: async ({ api }) => {
      await until("the rollback", async () => (await api.environment(SITE, ENVIRONMENT)).live?.reason === "rollback", 60_000);
      expect((await api.environment(SITE, ENVIRONMENT)).pin).not.toBeNull();
    },
  },
  "a held deployment": {
    past: "one is held",
    ask: ({ api }) => api.change(SITE, ENVIRONMENT, "unpin"),
    end: async (shiplog) => ended(shiplog.api, await newest(shiplog), "success"),
  },
} satisfies Record<string, Story>;

type Point = readonly [story: keyof typeof stories, when: string, point: KillPoint];

const deployed = (when: string, point: KillPoint): Point => ["a deployment", when, point];
const events = (DetailType: string): string => `"DetailType":"${DetailType}"`;

const points: readonly Point[] = [
  deployed("half of an item is in the table", { kind: "half stored", event: "VersionsPublished" }),
  deployed("PutEvents is not sent yet", { kind: "before", client: "eventBridge", call: "PutEvents", about: events("ChecksPassed") }),
  deployed("PutEvents is answered, and the relay has not noted it", {
    kind: "after",
    client: "eventBridge",
    call: "PutEvents",
    about: events("BuildSucceeded"),
  }),
  deployed("a message was handled and deleted, and the record that it came from is not acknowledged", {
    kind: "after",
    client: "sqs",
    call: "DeleteMessage",
    about: "/shiplog-flip-alias",
    unanswered: { client: "eventBridge", call: "PutEvents", about: events("FlipRequested") },
  }),
  deployed("a message was handled and is not deleted", {
    kind: "before",
    client: "sqs",
    call: "DeleteMessage",
    about: "/shiplog-publish-release",
  }),
  deployed("StartBuild is answered", { kind: "after", client: "codeBuild", call: "StartBuild" }),
  deployed("the build's command runs", { kind: "file", path: "build.pid" }),
  deployed("a page of the cache is uploaded", { kind: "after", client: "s3", call: "PutObject", about: "/_cache/" }),
  deployed("a function's settings are changed", { kind: "after", client: "lambda", call: "UpdateFunctionConfiguration" }),
  deployed("the last function's version is published", { kind: "after", client: "lambda", call: "UpdateFunctionCode", nth: 3 }),
  deployed("the edge's rows are written", { kind: "after", client: "keyValueStore", call: "UpdateKeys" }),
  ["a rollback", "its flip is on the bus and its pin is not", { kind: "on the bus", event: "EnvironmentPinned" }],
  ["a held deployment", "its flip has begun", { kind: "stored", event: "FlipStarted" }],
];

let pasts: Pasts;
const results: string[] = [];
beforeAll(async () => {
  pasts = await makePasts();
});
afterAll(async () => {
  console.log(`time from the start after the kill until everything was at rest:\n${results.join("\n")}`);
  await pasts.remove();
});

describe.concurrent("after kill -9 and a start on the same folder", () => {
  it.each(points)("%s reaches its end; killed when %s", reachesItsEnd);
});

async function reachesItsEnd(story: keyof typeof stories, when: string, point: KillPoint): Promise<void> {
  const { past, ask, end }: Story = stories[story];
  const dataDir = await pasts.copy(past);
  const begun = await startKillable(dataDir, pasts.sitesFile);
  try {
    const app = await appFor(point, dataDir);
    await begun.dieAt(point.kind === "file" ? { ...point, path: join(dataDir, point.path) } : point);
    const answered = await ask(begun, app).catch((error: Error) => `${error}: it may die before it answers`);
    expect(await begun.died(`${when}; ${answered}`, 30_000)).toBe("SIGKILL");
  } finally {
    await begun.stop();
  }
  await expectNoOrphans(dataDir);

  const killed = Date.now();
  const again = await startKillable(dataDir, pasts.sitesFile);
  try {
    await end(again);
    await expectSound(again.clients, SITE, ENVIRONMENT);
    const { live } = await again.api.environment(SITE, ENVIRONMENT);
    const answer = await fetch(`${again.siteUrl}/ssr`);
    expect([answer.status, answer.headers.get("x-shiplog-deployment")]).toEqual([200, live?.deploymentId]);
    results.push(`${((Date.now() - killed) / 1000).toFixed(1).padStart(5)} s  ${story}, killed when ${when}`);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${again.output()}`;
    throw error;
  } finally {
    await again.stop();
  }
  await expectNoOrphans(dataDir);
}

/** Where the build itself is the point, one that says when it runs and takes its time. */
const appFor = async (point: KillPoint, dataDir: string): Promise<string> =>
  point.kind === "file"
    ? pasts.app({ takes: 1_000 }, `import { writeFileSync as say } from "node:fs";\nsay(${JSON.stringify(join(dataDir, point.path))}, "");`)
    : pasts.usualApp;
