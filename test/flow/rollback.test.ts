import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeleteObjectsCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s3Objects } from "../../engine/aws/objects.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { contentKey, Manifest, manifestKey, setFolder, setOf } from "../../engine/open-next/manifest.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["quick", "held", "files", "never", "gone", "locked", "older"] });
});
afterAll(() => world.close());

const RUNS = 20;
const isLive = (environment: string) => world.api.environment("web", environment).then(({ live }) => live?.deploymentId);
const served = async (environment: string, path: string): Promise<string | number> => {
  const answer = await fetch(`${world.urlOf(environment)}${path}`);
  const text = await answer.text();
  return answer.ok ? text : answer.status;
};
/** Rolls back and waits until that is done; gives the event that ended it. */
const rolledBack = async (environment: string, to?: string) => {
  const { sequence, version } = await world.api.rollback("web", environment, to);
  return world.happened(
    environment,
    `the end of rollback ${sequence}`,
    ({ type, body }) => ["ReleaseWentLive", "FlipFailed", "FlipSuperseded"].includes(type) && body.sequence === sequence,
    version,
  );
};

/**
 * The bucket as an engine left it whose flips put public files: their contents below names of their own, among them the build's
 * manifest under the id that builds share, and a manifest of version 1.
 */
const publishedByOlder = async (environment: string, id: string): Promise<void> => {
  const objects = s3Objects(world.aws.clients.s3, systemClock);
  const { releases, assets, publicFiles } = world.resources(environment);
  const { static: bucket } = BUCKETS;
  const manifest = Manifest.parse(JSON.parse((await objects.getText(bucket, manifestKey(releases, id))) ?? ""));
  const set = await objects.list(bucket, `${setFolder(assets, setOf(manifest.publicFiles))}/`);
  const ofBuild = `${assets}/_next/static/${id}/_buildManifest.js`;
  const found = manifest.publicFiles.map((file) => ({ file, key: `${setFolder(assets, setOf(manifest.publicFiles))}/${file.path}` }));
  const text = (await objects.getText(bucket, ofBuild)) ?? "";
  const sha256 = createHash("sha256").update(text).digest("hex");
  const path = "_next/static/another-build/_buildManifest.js";
  found.push({
    file: { path, sha256, bytes: text.length, contentType: "text/javascript", cacheControl: "public,max-age=0" },
    key: ofBuild,
  });
  for (const { file, key } of found) await objects.copy(bucket, key, contentKey(publicFiles, file.sha256), file.sha256, file);
  await objects.remove(bucket, [...set, ofBuild]);
  const older = { v: 1, deploymentId: id, releaseId: id, behaviors: [{ pattern: "*", origin: "default" }] };
  await objects.putText(bucket, manifestKey(releases, id), JSON.stringify({ ...older, publicFiles: found.map(({ file }) => file) }));
};

it(`builds nothing, ${RUNS} times in a row, and says how long each took`, async () => {
  const one = await world.live("quick");
  const two = await world.live("quick");
  const { buildsStarted } = world.aws.codeBuild.counters();
  const took: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const target = run % 2 === 0 ? one : two;
    const asked = Date.now();
    const end = await rolledBack("quick", target);
    expect(end).toMatchObject({ type: "ReleaseWentLive", body: { deploymentId: target, reason: "rollback", sequence: 3 + run } });
    took.push(Date.parse(end.at) - asked);
  }
  took.sort((a, b) => a - b);
  const [p50 = 0, p95 = 0] = [0.5, 0.95].map((part) => took[Math.ceil(RUNS * part) - 1]);
  console.log(`rollback, from the request to ReleaseWentLive, ${RUNS} runs: p50 ${p50} ms, p95 ${p95} ms, most ${took.at(-1)} ms`);
  expect(world.aws.codeBuild.counters().buildsStarted).toBe(buildsStarted);
  expect(await served("quick", "/release.txt")).toBe(`${two}\n`);
});

it("goes further back the second time, not forth", async () => {
  const [two, one] = (await world.api.environment("web", "quick")).history
    .map(({ deploymentId }) => deploymentId)
    .slice(0, 2)
    .reverse();
  await world.api.change("web", "quick", "unpin");
  await world.live("quick");
  expect((await rolledBack("quick")).body.deploymentId).toBe(two);
  expect((await rolledBack("quick")).body.deploymentId).toBe(one);
  const nothingOlder = await world.api.post("environments/web/quick/rollback");
  expect(nothingOlder).toMatchObject({ status: 409, body: { error: { code: "rollback.nothing" } } });
});

describe.concurrent("in environments that do not see each other", () => {
  it("pins the environment; the next deployment is built and waits, and an unpin brings it live", async () => {
    const one = await world.live("held");
    await world.live("held");
    await rolledBack("held");
    const { pin, live } = await world.api.environment("web", "held");
    expect(pin?.reason).toContain(one);
    expect(live).toMatchObject({ deploymentId: one, sequence: 3 });

    const cancelled = await world.deploy("held");
    expect((await world.reached(cancelled, "held")).reason).toContain("pinned");
    await world.api.post(`deployments/${cancelled}/cancel`);
    await world.reached(cancelled, "cancelled");
    const next = await world.deploy("held");
    await world.reached(next, "held");
    expect(await isLive("held")).toBe(one);

    await world.api.change("web", "held", "unpin");
    await world.reached(next, "success");
    expect(await isLive("held")).toBe(next);
    const everLive = (await world.eventsOf("held", "FlipRequested", "ReleaseWentLive")).map(({ body }) => body.deploymentId);
    expect(everLive).not.toContain(cancelled);
  });

  it("brings back the public files of the release, and takes away those that only the other had", async () => {
    const one = await world.live("files");
    const dir = await world.app();
    const more = `
import { writeFileSync as write } from "node:fs";
write(".open-next/assets/docs/only-second.txt", "only in the second");
write(".open-next/assets/robots.txt", "User-agent: none");
`;
    await writeFile(join(dir, "make-output.mjs"), (await readFile(join(dir, "make-output.mjs"), "utf8")) + more);
    const two = await world.deployFolder("files", dir);
    await world.reached(two, "success");
    const files = ["/release.txt", "/robots.txt", "/docs/only-second.txt", "/docs/guide.txt"];
    const seen = () => Promise.all(files.map((path) => served("files", path)));
    const second = await seen();
    expect(second.slice(0, 3)).toEqual([`${two}\n`, "User-agent: none", "only in the second"]);

    await rolledBack("files");
    expect((await seen()).slice(0, 2)).toEqual([`${one}\n`, "User-agent: *\nAllow: /\n"]);
    await until("what only the second had to be gone", async () => (await served("files", "/docs/only-second.txt")) === 404);
    await rolledBack("files", two);
    expect(await seen()).toEqual(second);
    // what tabs of both releases still ask for is never taken away
    for (const id of [one, two]) expect(await served("files", `/_next/static/${id}/_buildManifest.js`)).toContain(id);
  });

  it("refuses what was never live there", async () => {
    const live = await world.live("never");
    const broken = await world.deploy("never", { fault: "server-answers-500" });
    await world.reached(broken, "failed");
    const elsewhere = await isLive("quick");
    for (const to of [broken, elsewhere]) {
      const { status, body } = await world.api.post("environments/web/never/rollback", { to });
      expect([status, body.error.code]).toEqual([409, "release.never-live"]);
      expect(body.error.message).toContain(`${to} was never live here`);
    }
    expect((await world.api.environment("web", "never")).pin).toBeNull();
    expect(await isLive("never")).toBe(live);
  });

  it("fails with the reason where the release is not all there any more, and what is live goes on", async () => {
    const one = await world.live("gone");
    const two = await world.live("gone");
    const { functions, releases, assets } = world.resources("gone");
    const { release } = await world.api.deployment(one);
    const old = release?.functions.find(({ role }) => role === "server")?.version;
    const remove = (Key: string) =>
      world.aws.clients.s3.send(new DeleteObjectsCommand({ Bucket: BUCKETS.static, Delete: { Objects: [{ Key }] } }));
    const why = async (): Promise<string> => {
      const { type, body } = await rolledBack("gone", one);
      expect([type, body.unfit]).toEqual(["FlipFailed", true]);
      return body.reason;
    };
    const liveGoesOn = async (): Promise<void> => {
      expect(await isLive("gone")).toBe(two);
      expect((await world.api.environment("web", "gone")).pin).toBeNull();
      expect(await served("gone", "/ssr")).toContain(two);
      await until("its own public files", async () => (await served("gone", "/release.txt")) === `${two}\n`);
    };

    await remove(`${setFolder(assets, release?.files?.set ?? "")}/release.txt`);
    expect(await why()).toMatch(/^the content of \/release.txt .* is gone/);
    await liveGoesOn();
    await remove(manifestKey(releases, one));
    expect(await why()).toContain(`manifest ${manifestKey(releases, one)} is gone`);
    await liveGoesOn();
    await world.deleteServer(one);
    expect(await why()).toBe(`version ${old} of ${functions.server} does not exist any more`);
    await liveGoesOn();
  });

  it("brings back what an engine published that put files with each flip, with the manifests of its build", async () => {
    const one = await world.live("older", { pagesRouter: true });
    const manifest = "/_next/static/another-build/_buildManifest.js";
    const two = await world.live("older", { pagesRouter: true });
    expect(await served("older", `${manifest}?dpl=${two}`)).toContain(two);
    await publishedByOlder("older", one);

    await rolledBack("older", one);
    expect(await served("older", "/release.txt")).toBe(`${one}\n`);
    expect(await served("older", "/docs/read%20me%20%5B1%5D.txt")).toContain("spaces and brackets");
    await until("the manifest of its own build", async () => String(await served("older", manifest)).includes(one));
    expect(await served("older", `${manifest}?dpl=${one}`)).toContain(one);
    expect(await served("older", `${manifest}?dpl=${two}`)).toContain(two);

    const { publicFiles } = world.resources("older");
    await rolledBack("older", two);
    await publishedByOlder("older", one);
    const { s3 } = world.aws.clients;
    const Key = contentKey(publicFiles, createHash("sha256").update(`${one}\n`).digest("hex"));
    await s3.send(new DeleteObjectsCommand({ Bucket: BUCKETS.static, Delete: { Objects: [{ Key }] } }));
    const { type, body } = await rolledBack("older", one);
    expect([type, body.reason]).toEqual([
      "FlipFailed",
      `the content of /release.txt (${Key}) is gone from ${BUCKETS.static}: deploy its commit again`,
    ]);
  });

  it("is refused by another's lock, which holds deployments too and ends by itself", async () => {
    const one = await world.live("locked");
    const give = (who: string, verb: string, body: object = {}) =>
      world.api.post(`environments/web/locked/${verb}`, body, { "x-shiplog-actor": who });
    const { waitsFor, open } = world.gate();
    const early = await world.deploy("locked", { waitsFor });
    expect((await give("ada", "lock", { reason: "a release freeze" })).status).toBe(200);
    await open();
    expect((await world.reached(early, "held")).reason).toContain("ada (token local) has locked it");

    for (const verb of ["rollback", "unlock"]) {
      const { status, body } = await give("bob", verb);
      expect([verb, status, body.error.code]).toEqual([verb, 409, "environment.locked"]);
      expect(body.error.message).toContain("ada (token local) has locked it");
    }
    expect(await give("bob", "lock", { reason: "mine" })).toMatchObject({ status: 409 });
    const { status } = await world.api.post("deployments", {
      site: "web",
      environment: "locked",
      source: await world.api.upload("web", await world.app()),
    });
    expect(status).toBe(409);
    expect(await isLive("locked")).toBe(one);

    // on a busy machine a moment may be over before the engine is asked: then it gets twice as long
    let [end, lasts] = ["", 300];
    await until("a lock that ends in a moment", async () => {
      end = new Date(Date.now() + lasts).toISOString();
      lasts *= 2;
      return (await give("ada", "lock", { reason: "nearly over", until: end })).body.environment?.lock?.until === end;
    });
    await until("the lock to end by itself", async () => {
      await world.reconcile(undefined);
      return (await isLive("locked")) === early;
    });
    expect((await world.api.environment("web", "locked")).lock).toBeNull();

    await give("ada", "lock", { reason: "another" });
    expect((await give("bob", "unlock", { force: true })).status).toBe(200);
    expect((await rolledBack("locked")).body.deploymentId).toBe(one);
  });
});
