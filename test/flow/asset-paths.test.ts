import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["below", "prefixed", "missing", "plain", "pages"] });
});
afterAll(() => world.close());

const get = async (environment: string, path: string) => {
  const answer = await fetch(`${world.urlOf(environment)}${path}`, { redirect: "manual" });
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    cache: answer.headers.get("cache-control"),
    text: await answer.text(),
  };
};
/** What a browser asks for when it shows the page: status of each. */
const namedBy = async (environment: string, path: string): Promise<(readonly [string, number])[]> => {
  const { text } = await get(environment, path);
  const names = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = ""]) => name);
  return Promise.all(names.map(async (name) => [name, (await get(environment, name)).status] as const));
};

describe("an app with basePath /docs", () => {
  it("serves its page, what the page names, its pictures and its public files, all below /docs", async () => {
    const id = await world.live("below", { basePath: "/docs" });
    expect(await get("below", "/docs")).toMatchObject({ status: 200, text: expect.stringContaining(id) });
    expect(await namedBy("below", "/docs")).toEqual([
      ["/docs/_next/static/css/page-0a1b2c3d4e5f.css?dpl=x", 200],
      ["/docs/_next/static/chunks/shared-0a1b2c3d4e5f.js?dpl=x", 200],
    ]);
    expect(await get("below", "/docs/_next/static/chunks/shared-0a1b2c3d4e5f.js")).toMatchObject({
      cache: "public,max-age=31536000,immutable",
    });
    expect(await get("below", "/docs/release.txt")).toMatchObject({ text: `${id}\n`, cache: expect.stringContaining("max-age=0") });
    expect(await get("below", "/docs/docs/guide.txt")).toMatchObject({ status: 200 });
    expect(await get("below", "/docs/_next/image?url=%2Fdocs%2Fa.png&w=1&q=1")).toMatchObject({ status: 200, type: "image/png" });
    expect(await get("below", "/release.txt")).toMatchObject({ status: 404 });
    const { headers } = await fetch(`${world.urlOf("below")}/docs/release.txt`);
    const again = async (asked: Record<string, string>) => fetch(`${world.urlOf("below")}/docs/release.txt`, { headers: asked });
    const unchanged = await again({ "if-modified-since": headers.get("last-modified") ?? "" });
    expect([unchanged.status, unchanged.headers.get("etag"), unchanged.headers.get("cache-control")]).toEqual([
      304,
      headers.get("etag"),
      headers.get("cache-control"),
    ]);
    const behind = await again({ range: "bytes=9999-" });
    expect([behind.status, behind.headers.get("content-range")]).toEqual([416, `bytes */${id.length + 1}`]);
  });

  it("is checked at its own first page, and goes back to what it was without one", async () => {
    const { live } = await world.api.environment("web", "below");
    const events = await world.api.events(`deployments/${live?.deploymentId}`);
    const { checks, release } = events.find(({ type }) => type === "ChecksPassed")?.body ?? {};
    expect(checks).toContainEqual(expect.objectContaining({ role: "server", path: "/docs", status: 200 }));
    expect(release.basePath).toBe("docs");
    const id = await world.live("below");
    expect(await get("below", "/release.txt")).toMatchObject({ text: `${id}\n` });
    expect(await get("below", "/docs/release.txt")).toMatchObject({ status: 404 });
  });
});

it("serves what pages name below the path of an assetPrefix, and pictures of the build beside", async () => {
  await world.live("prefixed", { basePath: "/docs", assetPrefix: "/files/v1" });
  expect(await namedBy("prefixed", "/docs")).toEqual([
    ["/files/v1/_next/static/css/page-0a1b2c3d4e5f.css?dpl=x", 200],
    ["/files/v1/_next/static/chunks/shared-0a1b2c3d4e5f.js?dpl=x", 200],
  ]);
  expect(await get("prefixed", "/docs/_next/static/chunks/shared-0a1b2c3d4e5f.js")).toMatchObject({ status: 200 });
});

it("lets an assetPrefix on another host be that host's, and says so", async () => {
  const id = await world.live("plain", { assetPrefix: "https://cdn.example.com" });
  expect((await world.api.deployment(id)).warnings).toEqual([
    expect.stringContaining("are asked of https://cdn.example.com (assetPrefix)"),
  ]);
});

it("lets an app of the Pages Router go live, whose pages name the manifest of a build id of their own", async () => {
  await world.live("pages", { pagesRouter: true });
  expect(await namedBy("pages", "/")).toEqual([["/_next/static/another-build/_buildManifest.js", 200]]);
});

it("does not let a release go live whose page works and whose style is missing", async () => {
  const before = await world.live("missing");
  const { step, reason } = await world.reached(await world.deploy("missing", { fault: "names-missing-style" }), "failed");
  expect([step, reason]).toEqual([
    "check",
    expect.stringMatching(
      /did not pass its check \(GET \/\): its page names \/_next\/static\/css\/gone\.css, and the build has no such file.*basePath and assetPrefix/,
    ),
  ]);
  expect((await world.api.environment("web", "missing")).live?.deploymentId).toBe(before);
});
