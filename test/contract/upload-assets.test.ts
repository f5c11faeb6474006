import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s3Objects } from "../../engine/aws/objects.ts";
import { uploadAssets } from "../../engine/open-next/assets.ts";
import type { Inspected } from "../../engine/open-next/inspect.ts";
import { systemClock } from "../../engine/wiring/engine.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";

/** How the files of a release are uploaded: S3's contract, at the local one. */
const BUCKET = "static";

let folder: string;
let aws: LocalAws;
let objects: ReturnType<typeof s3Objects>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-assets-"));
  aws = await startAws({ dataDir: folder, log: () => undefined });
  objects = s3Objects(aws.clients.s3, systemClock);
  await aws.clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

/** What S3 was asked for while something was done. */
const asked = async <T>(act: () => Promise<T>): Promise<{ result: T; calls: Readonly<Record<string, number>> }> => {
  const before = aws.endpoint.counters();
  const result = await act();
  const calls = Object.entries(aws.endpoint.counters()).flatMap(([name, count]) => {
    const more = count - (before[name] ?? 0);
    return name.startsWith("s3.") && more > 0 ? [[name.slice(3), more]] : [];
  });
  return { result, calls: Object.fromEntries(calls) };
};

const put = (Key: string) => aws.clients.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: "there" }));

describe("which keys there are", () => {
  it("is told of names in S3's order, of any letters", async () => {
    const there = ["names/a", "names/a b+ü", "names/z/1", "names/\u{ff5e}", "names/\u{1f600}", "names/\u{1f601}"];
    for (const key of there) await put(key);
    const wanted = [...there, "names/", "names/a ", "names/b", "names/z", "names/z/0", "names/z/2", "names/\u{1f602}", "other"];
    expect(await objects.present(BUCKET, wanted)).toEqual(new Set(there));
    expect(await objects.present(BUCKET, ["names/z/1"])).toEqual(new Set(["names/z/1"]));
    expect(await objects.present(BUCKET, there.slice(3))).toEqual(new Set(there.slice(3)));
    expect(await objects.present(BUCKET, ["names/z"])).toEqual(new Set());
    expect(await objects.present(BUCKET, [])).toEqual(new Set());
  });

  it("costs a few pages where they are close together, and no more than twice their number among thousands of others", async () => {
    const other = (n: number) => `many/${String(n).padStart(5, "0")}`;
    const numbers = Array.from({ length: 3_000 }, (_, n) => n);
    for (let from = 0; from < numbers.length; from += 100) await Promise.all(numbers.slice(from, from + 100).map((n) => put(other(n))));

    const close = numbers.slice(1_200, 1_400).map(other);
    const near = await asked(() => objects.present(BUCKET, [...close, `${close[0]}a`]));
    expect(near.result).toEqual(new Set(close));
    expect(near.calls).toEqual({ HeadObject: 1, ListObjectsV2: 1 });

    const far = [other(0), `${other(1_500)}x`, other(2_999)];
    const apart = await asked(() => objects.present(BUCKET, far));
    expect(apart.result).toEqual(new Set([other(0), other(2_999)]));
    expect(apart.calls).toEqual({ HeadObject: 3, ListObjectsV2: 3 });
  });
});

describe("a release's files", () => {
  const locations = {
    bucket: BUCKET,
    assets: "site/_assets",
    cache: "site/_cache",
    releases: "site/_releases",
    publicFiles: "site/_public",
  };
  const inspected = (root: string): Inspected => ({
    root,
    behaviors: [],
    paths: { base: "", versioned: "_next", prefix: "" },
    packages: [],
    buildId: "built",
    runtimeId: "built",
    preview: null,
    warnings: [],
  });
  const write = async (root: string, files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  };
  const upload = (root: string, releaseId: string) => {
    const progress: string[] = [];
    const report = (_: string, done: number, total: number) => void progress.push(`${done}/${total}`);
    return asked(async () => ({
      ...(await uploadAssets(objects, locations, inspected(root), { deploymentId: releaseId, releaseId }, report)).recorded,
      progress,
    }));
  };

  it("are put once each; what is there is found by pages and not asked for one by one", async () => {
    const root = join(folder, "first");
    const chunks = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`assets/_next/static/chunks/${n}.js`, `chunk ${n}`]));
    await write(root, { ...chunks, "assets/robots.txt": "same", "assets/copy.txt": "same", "cache/built/index.cache": "page" });
    const first = await upload(root, "built");
    expect(first.result).toMatchObject({ uploaded: 301, unchanged: 0, cacheEntries: 1 });
    expect(first.result.progress.at(-1)).toBe("302/302");
    // 301 files, the page and the manifest
    expect(first.calls).toEqual({ HeadObject: 2, ListObjectsV2: 2, PutObject: 303 });
    expect(await objects.getText(BUCKET, "site/_assets/_next/static/chunks/7.js")).toBe("chunk 7");

    await write(root, { "assets/_next/static/chunks/new.js": "new", "assets/robots.txt": "other" });
    const second = await upload(root, "built");
    expect(second.result).toMatchObject({ uploaded: 2, unchanged: 301, cacheEntries: 0 });
    expect(second.calls).toEqual({ HeadObject: 2, ListObjectsV2: 2, PutObject: 4 });
    const manifest = JSON.parse((await objects.getText(BUCKET, second.result.manifest)) ?? "");
    expect(manifest.publicFiles.map(({ path, bytes }: { path: string; bytes: number }) => [path, bytes])).toEqual([
      ["copy.txt", 4],
      ["robots.txt", 5],
    ]);
  });
});
