import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inspect } from "../../engine/open-next/inspect.ts";
import { type PreviewKeys, previewKeysOf, replacing } from "../../engine/open-next/preview-keys.ts";
import { unzipInto, zipDirectory, zipFolderOf } from "../../engine/zip/archive.ts";
import { type FixtureOutput, previewKeysOfBuild, writeFixtureOutput } from "../support/fixture-output.ts";
import { outputOf } from "../support/output-of.ts";
import { treeDigest } from "../support/tree-digest.ts";

const SERVER = "server-functions/default";
const API = "server-functions/api";
const REVALIDATION = "revalidation-function";
const PLACE = { site: "web", environment: "production" };
const SECRET = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const own = previewKeysOf(PLACE, SECRET);

let room: string;
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), "shiplog-preview-"));
});
afterEach(() => rm(room, { recursive: true }));
const at = (...path: string[]) => join(room, ...path);

describe("the preview keys of an environment", () => {
  it("follow from its secret, today as ever: a release of another day has the same", () => {
    expect(own).toEqual({
      previewModeId: "6c2f45b68ee77de4d40cfad09866e471",
      previewModeSigningKey: "9ff51a68ba9f5055ac8a7046d175d24d52b200ced5ba667060fb6cef0f7b18c6",
      previewModeEncryptionKey: "582829929e544953bc51b9b761b0277bafcfa32e8cb941378018a4d22a28ed9e",
    });
  });

  it("are others for another site, environment or secret", () => {
    const all = [
      own,
      previewKeysOf({ ...PLACE, environment: "staging" }, SECRET),
      previewKeysOf({ ...PLACE, site: "shop" }, SECRET),
      previewKeysOf(PLACE, SECRET.toLowerCase()),
    ].flatMap((keys) => Object.values(keys));
    expect(new Set(all).size).toBe(12);
  });
});

/** A build in a folder, with one split function. */
const build = async (folder: string, output: Partial<FixtureOutput> = {}) => {
  await writeFixtureOutput(at(folder), { releaseId: "rel-1", architecture: "arm64", split: { api: ["api/*"] }, ...output });
  return inspectedIn(folder);
};
const inspectedIn = async (folder: string) => inspect(await outputOf(at(folder)), "rel-1", "arm64");

describe("the preview keys of a build", () => {
  it("are read of its servers and its revalidation function", async () => {
    expect(await build("out")).toMatchObject({ preview: previewKeysOfBuild("rel-1"), warnings: [] });
  });

  it.each([
    ["the server", `${SERVER}/.next`, { routes: {} }],
    ["a split function", `${API}/.next`, { preview: previewKeysOfBuild("rel-0") }],
    ["the revalidation function", REVALIDATION, { preview: { ...previewKeysOfBuild("rel-1"), previewModeSigningKey: "short" } }],
  ])("stay as they are where %s has none, or others, and a warning says so without a key", async (_what, folder, manifest) => {
    await build("out");
    await writeFile(at("out", folder, "prerender-manifest.json"), JSON.stringify(manifest));
    const { preview, warnings } = await inspectedIn("out");
    expect(preview).toBeNull();
    expect(warnings).toEqual([expect.stringContaining(`${folder}/prerender-manifest.json`)]);
    expect(warnings.join()).not.toMatch(/[0-9a-f]{32}/);
  });

  it("stay as they are where a function's file is not there or cannot be read", async () => {
    await build("out");
    await writeFile(at("out", REVALIDATION, "prerender-manifest.json"), '{"preview":');
    expect(await inspectedIn("out")).toMatchObject({ preview: null, warnings: [expect.stringContaining("revalidation function")] });
    await rm(at("out", REVALIDATION, "prerender-manifest.json"));
    expect(await inspectedIn("out")).toMatchObject({ preview: null, warnings: [expect.stringContaining("revalidation function")] });
  });
});

describe("the code of a release", () => {
  const pack = async (from: string, folder: string, built: PreviewKeys, name: string) =>
    zipFolderOf(from, folder, at(name), { replaced: replacing(built, own) });

  it.each([
    [SERVER, [".next/prerender-manifest.json", ".next/server/middleware-manifest.json", ".next/server/preview-props.json"]],
    [API, [".next/prerender-manifest.json", ".next/server/preview-props.json"]],
    [REVALIDATION, ["prerender-manifest.json"]],
  ])("has the environment's keys wherever %s had the build's, and is else what was built", async (folder, holders) => {
    const { preview } = await build("out");
    const built = preview as PreviewKeys;
    // as an app with edge middleware has them
    const env = { __NEXT_PREVIEW_MODE_ID: built.previewModeId, __NEXT_PREVIEW_MODE_SIGNING_KEY: built.previewModeSigningKey };
    await writeFile(at("out", SERVER, ".next/server/middleware-manifest.json"), JSON.stringify({ middleware: { "/": { env } } }));
    await zipDirectory(at("out"), at("all.zip"));
    await pack(at("all.zip"), folder, built, "code.zip");
    await unzipInto(at("code.zip"), at("code"));

    const [before, after] = await Promise.all([treeDigest(at("out", folder)), treeDigest(at("code"))]);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(
      Object.keys(after)
        .filter((path) => after[path] !== before[path])
        .sort(),
    ).toEqual(holders);
    for (const path of holders) {
      let expected = await readFile(at("out", folder, path), "utf8");
      for (const [name, value] of Object.entries(built)) expected = expected.replaceAll(value, own[name as keyof PreviewKeys]);
      expect(await readFile(at("code", path), "utf8")).toBe(expected);
    }
  });

  it("has the same bytes each time, and of two builds that differ in their keys alone", async () => {
    await build("one");
    await build("two", { releaseId: "rel-2" });
    const [one, two] = ["one", "two"].map((name) => at(name, REVALIDATION, "prerender-manifest.json")) as [string, string];
    await writeFile(two, (await readFile(two, "utf8")).replace("/of-rel-2/", "/of-rel-1/"));
    expect(await readFile(two, "utf8")).not.toBe(await readFile(one, "utf8"));
    await zipDirectory(at("one"), at("one.zip"));
    await zipDirectory(at("two"), at("two.zip"));
    const first = await pack(at("one.zip"), REVALIDATION, previewKeysOfBuild("rel-1"), "first.zip");
    const again = await pack(at("one.zip"), REVALIDATION, previewKeysOfBuild("rel-1"), "again.zip");
    const other = await pack(at("two.zip"), REVALIDATION, previewKeysOfBuild("rel-2"), "other.zip");
    expect([again, other]).toEqual([first, first]);
  });
});
