import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inspect } from "../../engine/open-next/inspect.ts";
import { previewKeysOfBuild, writeFixtureOutput } from "../support/fixture-output.ts";
import { outputOf } from "../support/output-of.ts";

const SERVER = "server-functions/default";
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "shiplog-output-"));
});
afterEach(() => rm(root, { recursive: true }));

const put = async (path: string, content: unknown): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), JSON.stringify(content));
};
const inspected = async () => inspect(await outputOf(root), "rel-1", "arm64");

describe("the output of a build", () => {
  beforeEach(() => writeFixtureOutput(root, { releaseId: "rel-1", architecture: "arm64" }));

  it("is taken where every prerendered page is in its cache, by its path or below its source", async () => {
    await put("cache/rel-1/docs/intro.cache", {});
    await put("cache/rel-1/route-cache/PAGES/0a1b/$/index/index.cache", {});
    await put("cache/rel-1/caf%C3%A9.cache", {});
    const preview = previewKeysOfBuild("rel-1");
    const routes = { "/": {}, "/docs/intro": {}, "/index": {}, "/caf%C3%A9": {} };
    await put(`${SERVER}/.next/prerender-manifest.json`, { routes, preview });
    expect((await inspected()).warnings).toEqual([]);
  });

  it("is refused where a prerendered page is missing from its cache, and the refusal names it", async () => {
    await put(`${SERVER}/.next/prerender-manifest.json`, { routes: { "/": {}, "/prices": {}, "/team": {} } });
    await expect(inspected()).rejects.toThrow(/prerendered \/prices and 1 more, and its cache does not hold them.*NEXT_ADAPTER_PATH/);
  });

  it("is refused where a path leads to a function that it does not have", async () => {
    const output = JSON.parse(await readFile(join(root, "open-next.output.json"), "utf8"));
    await put("open-next.output.json", { ...output, behaviors: [{ pattern: "api/*", origin: "api" }] });
    await expect(inspected()).rejects.toThrow('the behaviour "api/*" goes to "api", which the build does not have');
  });

  it("has the app below its folder where that is a part of a workspace", async () => {
    await mkdir(join(root, SERVER, "apps/web"), { recursive: true });
    await rename(join(root, SERVER, ".next"), join(root, SERVER, "apps/web/.next"));
    await put(`${SERVER}/apps/web/.next/required-server-files.json`, { config: { deploymentId: "rel-0" } });
    const { runtimeId, warnings } = await inspected();
    expect(runtimeId).toBe("rel-0");
    expect(warnings).toEqual([expect.stringMatching(/built as "rel-0" instead of "rel-1".*NEXT_DEPLOYMENT_ID/)]);
  });
});
