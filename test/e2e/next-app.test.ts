import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionOf, siteResources } from "../../blueprint/site-resources.ts";
import { type Answer, type Load, startLoad } from "../../demo/load.ts";
import { flipsIn, readLog } from "../../demo/scenario.ts";
import { findTargets } from "../../demo/targets.ts";
import { judge, type RecordedFlip, type Traffic } from "../../demo/verdict.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { LOOPBACK, listeningAddresses } from "../support/listening.ts";
import { treeDigest } from "../support/tree-digest.ts";
import { until } from "../support/until.ts";

/**
 * The example app, really built by Next.js and OpenNext, through its whole life: live, replaced under load, rolled back
 * under load, held, released. It runs once; the tests below look at what was seen.
 */
const APP = join(import.meta.dirname, "../../examples/next-app");
const PLACE = ["next-app", "production"] as const;
const PER_SECOND = 55;
const BUILD_MS = 400_000;
const PATIENCE_MS = 60_000;
/** A copy is asked for again after five minutes at the earliest where its remaking was lost: until then SQS drops repetitions. */
const REMADE_MS = 330_000;

/** What a page does that is only right when every part of a release fits together. */
type Behaviour = {
  refreshed: boolean;
  revalidated: boolean;
  /** what the public file /release.txt says */
  release: string;
  image: { status: number; type: string | null };
  /** of a binary body, as many as the route handler counted */
  bytes: unknown;
};
/** Every byte there is, so that a body which is taken for text on the way changes its length. */
const BINARY = Buffer.from(Array.from({ length: 100 * 1_024 }, (_, index) => index % 256));

let folder: string;
/** a copy of the app, with the data folder inside of it, as `shiplog dev` has it by default */
let app: string;
let dev: Development;
let api: ApiClient;
let url: string;
let load: Load | undefined;
const seen = {} as {
  v1: string;
  v2: string;
  v3: string;
  chunks: number[];
  action: { status: number; text: string };
  afterFlip: Behaviour;
  afterRollback: Behaviour;
  /** what the revalidation function of the live release could not have made again of the pages of another */
  notRemade: { afterFlip: unknown; afterRollback: unknown };
  /** whether who was in draft mode before still is */
  draft: { before: boolean; afterFlip: boolean; afterRollback: boolean; withoutCookie: boolean };
  answers: readonly Answer[];
  traffic: Traffic;
  flips: RecordedFlip[];
  chain: string;
  buildsOfRollback: number;
  pinned: EnvironmentView;
  held: DeploymentView;
  liveWhileHeld: string | undefined;
  released: DeploymentView;
  addresses: string[];
  files: { before: object; after: object };
};

const page = async (path: string, init: RequestInit = {}): Promise<{ status: number; text: string; type: string | null }> => {
  const answer = await fetch(new URL(path, url), init);
  return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") };
};
const madeAt = async (path: string): Promise<string> => /<time[^>]*dateTime="([^"]+)"/.exec((await page(path)).text)?.[1] ?? "";
const reached = (id: string, status: string): Promise<DeploymentView> =>
  until(
    `${id} to be ${status}`,
    async () => {
      const view = await api.deployment(id);
      if (view.status === status) return view;
      if (["failed", "cancelled", "superseded"].includes(view.status)) throw new Error(`${id} is ${view.status}: ${view.reason}`);
      return undefined;
    },
    BUILD_MS,
  );
const deploy = async (): Promise<string> => (await api.deploy(...PLACE, await api.upload(PLACE[0], app))).id;

/** What the engine and the app said, and what waits to be made again: where a page stays as it was, this says why. */
const lines: string[] = [];
const stuck = async (error: unknown): Promise<never> => {
  const { revalidationQueue, revalidationDeadLetters } = siteResources(...PLACE);
  const waiting = await Promise.all(
    [revalidationQueue, revalidationDeadLetters].map(async (QueueName) => {
      const { QueueUrl } = await dev.aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName }));
      const { Attributes } = await dev.aws.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      return `${QueueName}: ${Attributes?.ApproximateNumberOfMessages} wait, ${Attributes?.ApproximateNumberOfMessagesNotVisible} in flight`;
    }),
  );
  throw new Error([(error as Error).message, ...waiting, ...lines.slice(-60)].join("\n"), { cause: error });
};

const behave = async (): Promise<Behaviour> => {
  const isr = await madeAt("/isr");
  const tagged = await madeAt("/tagged");
  const refreshed = await until("the ISR page to be made again", async () => (await madeAt("/isr")) !== isr, REMADE_MS).catch(stuck);
  await page("/api/revalidate?tag=tide", { method: "POST" });
  const revalidated = await until("the tagged page to be made again", async () => (await madeAt("/tagged")) !== tagged, REMADE_MS).catch(
    stuck,
  );
  const { status, type } = await page("/_next/image?url=%2Fharbour.png&w=640&q=75", { headers: { accept: "image/webp,*/*" } });
  const { bytes } = JSON.parse((await page("/api/hello", { method: "POST", body: BINARY })).text) as { bytes: unknown };
  return { refreshed, revalidated, release: (await page("/release.txt")).text.trim(), image: { status, type }, bytes };
};

/** Has a page of that release made again by what is live, as for a visitor who still has that release's pages open. */
const remake = async (release: string): Promise<unknown> => {
  const path = `/isr?dpl=${release}`;
  const before = await madeAt(path);
  const { Payload } = await dev.aws.clients.lambda.send(
    new InvokeCommand({
      FunctionName: functionOf(...PLACE, "revalidation"),
      Qualifier: "live",
      Payload: JSON.stringify({ Records: [{ messageId: "stale", body: JSON.stringify({ host: new URL(url).host, url: path }) }] }),
    }),
  );
  const { batchItemFailures } = JSON.parse(Buffer.from(Payload ?? []).toString()) as { batchItemFailures: unknown };
  const text = await until("the page of the other release to be new", async () => {
    const now = await page(path);
    return now.text.includes(before) ? undefined : now.text;
  });
  expect(text).toContain(release);
  return batchItemFailures;
};

/** Begins a draft session; its cookie. */
const beginDraft = async (): Promise<string> => {
  const answer = await fetch(new URL("/api/draft", url), { method: "POST" });
  return /__prerender_bypass=[^;]+/.exec(answer.headers.getSetCookie().join())?.[0] ?? "";
};
const isDraft = async (cookie: string): Promise<boolean> => {
  const { headers } = await fetch(new URL("/isr", url), { headers: { cookie } });
  return /no-store/.test(headers.get("cache-control") ?? "");
};

/** So many answers of what is live are enough to be counted. */
const ENOUGH = 50;
/** Waits until visitors have had that many more. */
const visited = async (): Promise<void> => {
  const before = load?.answers.length ?? 0;
  await until("visitors to be answered", async () => (load?.answers.length ?? 0) - before > 2 * ENOUGH);
};

/** Posts an open page's form, without JavaScript, as a browser would. */
const submit = async (html: string): Promise<{ status: number; text: string }> => {
  const form = new FormData();
  for (const [, attributes = ""] of html.matchAll(/<input([^>]*type="hidden"[^>]*)>/g)) {
    const [, name] = /name="([^"]*)"/.exec(attributes) ?? [];
    const [, value = ""] = /value="([^"]*)"/.exec(attributes) ?? [];
    if (name !== undefined) form.set(name, value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
  }
  form.set("name", "Ada");
  return page("/action", { method: "POST", body: form });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-e2e-"));
  app = join(folder, PLACE[0]);
  await cp(APP, app, { recursive: true, filter: (path) => ![".next", ".open-next", ".shiplog", "node_modules"].includes(basename(path)) });
  const dataDir = join(app, ".shiplog");
  const before = await treeDigest(app, dataDir);
  const began = Date.now();
  dev = await startDevelopment({ tableDelayMs: 0, dataDir, appDir: app, log: (line) => void lines.push(line) });
  api = apiClient(dev.apiUrl, dev.token);
  url = dev.sites[0]?.url ?? "";

  seen.v1 = (await reached(await deploy(), "success")).id;
  const targets = await findTargets(url);
  const chunks = targets.filter(({ kind }) => kind === "asset").map(({ path }) => path);
  const openPage = (await page("/action")).text;
  const draft = await beginDraft();
  const draftBefore = await isDraft(draft);

  load = startLoad({ url, targets, perSecond: PER_SECOND });
  seen.v2 = (await reached(await deploy(), "success")).id;
  seen.chunks = await Promise.all(chunks.map(async (path) => (await page(path)).status));
  seen.action = await submit(openPage);
  const draftAfterFlip = await isDraft(draft);
  const afterFlip = await remake(seen.v1);
  seen.afterFlip = await behave();
  await visited();
  seen.addresses = await listeningAddresses();

  const builds = dev.aws.codeBuild.counters().buildsStarted;
  const { sequence } = await api.rollback(...PLACE);
  await until("the rollback to be recorded", async () => (await api.environment(...PLACE)).live?.sequence === sequence, PATIENCE_MS);
  seen.buildsOfRollback = dev.aws.codeBuild.counters().buildsStarted - builds;
  const [draftAfterRollback, withoutCookie] = [await isDraft(draft), await isDraft("")];
  seen.draft = { before: draftBefore, afterFlip: draftAfterFlip, afterRollback: draftAfterRollback, withoutCookie };
  seen.notRemade = { afterFlip, afterRollback: await remake(seen.v2) };
  seen.afterRollback = await behave();
  await visited();
  seen.pinned = await api.environment(...PLACE);
  seen.answers = await load.stop();
  load = undefined;

  seen.held = await reached(await deploy(), "held");
  seen.v3 = seen.held.id;
  seen.liveWhileHeld = (await api.environment(...PLACE)).live?.deploymentId;
  await api.change(...PLACE, "unpin");
  seen.released = await reached(seen.v3, "success");
  seen.addresses.push(...(await listeningAddresses()));

  seen.files = { before, after: await treeDigest(app, dataDir) };

  const log = await readLog(dev, began);
  seen.chain = log.chain;
  seen.flips = flipsIn(log.commits);
  seen.traffic = judge(seen.answers, seen.flips);
}, 1_500_000);

afterAll(async () => {
  await load?.stop();
  await dev?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 60_000);

describe("a real Next.js app, replaced and rolled back under load", () => {
  it("loses not one request, and never answers with the old release after a flip was recorded", () => {
    expect(seen.traffic.failures).toEqual([]);
    expect(seen.traffic.failed).toBe(0);
    console.log(`${seen.traffic.requests} requests, ${seen.traffic.perSecond.toFixed(0)} a second`);
    // before the flip, between it and the rollback, and after
    for (const [sequence, { requests }] of seen.traffic.perSequence) expect(requests, `of #${sequence}`).toBeGreaterThan(ENOUGH);
    expect(seen.traffic.perSequence.size).toBe(3);
    expect(new Set(seen.answers.map(({ kind }) => kind))).toEqual(
      new Set(["static", "ssr", "isr", "dynamic", "api", "image", "file", "asset"]),
    );
  });

  it("answers with both releases, in their order", () => {
    expect(seen.traffic.releases).toEqual([seen.v1, seen.v2]);
    const last = seen.answers.findLast(({ release }) => release !== null);
    expect(last?.release).toBe(seen.v1);
  });

  it("refreshes its pages after the flip and after the rollback, by time and by tag", () => {
    expect(seen.afterFlip).toMatchObject({ refreshed: true, revalidated: true });
    expect(seen.afterRollback).toMatchObject({ refreshed: true, revalidated: true });
  });

  it("makes pages of the other release again, by the revalidation function of the one that is live", () => {
    expect(seen.notRemade).toEqual({ afterFlip: [], afterRollback: [] });
  });

  it("keeps who is in draft mode there, across the flip and the rollback", () => {
    expect(seen.draft).toEqual({ before: true, afterFlip: true, afterRollback: true, withoutCookie: false });
  });

  it("serves the public files of what is live, and images through their own function", () => {
    expect(seen.afterFlip.release).toBe(seen.v2);
    expect(seen.afterRollback.release).toBe(seen.v1);
    expect(seen.afterFlip.image).toEqual({ status: 200, type: "image/webp" });
    expect(seen.afterRollback.image).toEqual({ status: 200, type: "image/webp" });
  });

  it("gives the app the bytes that were posted", () => {
    expect(seen.afterFlip.bytes).toBe(BINARY.length);
    expect(seen.afterRollback.bytes).toBe(BINARY.length);
  });

  it("still serves a page that was open before: its chunks, and its Server Action on the new release", () => {
    expect(seen.chunks.length).toBeGreaterThan(0);
    expect(new Set(seen.chunks)).toEqual(new Set([200]));
    expect(seen.action.status).toBe(200);
    expect(seen.action.text).toContain("Hello, Ada");
    expect(seen.action.text).toContain(`data-release="${seen.v2}"`);
  });

  it("rolls back without a build, with a new and higher sequence, and pins the environment", () => {
    expect(seen.buildsOfRollback).toBe(0);
    expect(seen.pinned.pin).not.toBeNull();
    expect(seen.flips.map(({ sequence, to, reason }) => [sequence, to, reason])).toEqual([
      [1, seen.v1, "deploy"],
      [2, seen.v2, "deploy"],
      [3, seen.v1, "rollback"],
      [4, seen.v3, "deploy"],
    ]);
  });

  it("builds the next deployment and holds it until the environment is unpinned", () => {
    expect(seen.held.reason).toContain("pinned");
    expect(seen.liveWhileHeld).toBe(seen.v1);
    expect(seen.released).toMatchObject({ id: seen.v3, status: "success" });
  });

  it("leaves a log whose every chain verifies", () => {
    expect(seen.chain).toBe("verified");
  });

  it("changes not a byte of the app that its data folder is in", () => {
    expect(Object.keys(seen.files.before)).toContain("package-lock.json");
    expect(seen.files.after).toEqual(seen.files.before);
  });

  it("listens on loopback alone", () => {
    expect(seen.addresses.length).toBeGreaterThan(2);
    expect(seen.addresses.filter((address) => !LOOPBACK.includes(address))).toEqual([]);
  });
});
