import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicSetOf } from "../../blueprint/edge-table.ts";
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
  const locations = { bucket: BUCKET, assets: "site/_assets", cache: "site/_cache", releases: "site/_releases" };
  const inspected = (root: string, buildId = "built"): Inspected => ({
    root,
    paths: { base: "", versioned: "_next", prefix: "" },
    packages: [],
    buildId,
    runtimeId: buildId,
    warnings: [],
    preview: null,
  });
  const write = async (root: string, files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  };
  const upload = (root: string, releaseId: string, buildId?: string, live?: string) => {
    const progress: string[] = [];
    const report = (_: string, done: number, total: number) => void progress.push(`${done}/${total}`);
    return asked(async () => {
      const outcome = await uploadAssets(
        objects,
        locations,
        inspected(root, buildId),
        { deploymentId: releaseId, releaseId, live },
        report,
      );
      return { ...outcome.recorded, ...outcome, progress };
    });
  };
  const textOf = (path: string) => objects.getText(BUCKET, `site/_assets/${path}`);

  it("are put once each; what is there is found by pages and not asked for one by one", async () => {
    const root = join(folder, "first");
    const chunks = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`assets/_next/static/chunks/${n}.js`, `chunk ${n}`]));
    await write(root, { ...chunks, "assets/robots.txt": "same", "assets/copy.txt": "same", "cache/built/index.cache": "page" });
    await write(root, { "assets/BUILD_ID": "built" });
    const first = await upload(root, "built");
    expect(first.result).toMatchObject({ uploaded: 302, unchanged: 0, cacheEntries: 1 });
    expect(first.result.progress.at(-1)).toBe("303/303");
    // 302 files, the page and the manifest
    expect(first.calls.PutObject).toBe(304);
    expect(await textOf("_next/static/chunks/7.js")).toBe("chunk 7");

    await write(root, { "assets/_next/static/chunks/new.js": "new" });
    const second = await upload(root, "built");
    expect(second.result).toMatchObject({ uploaded: 1, unchanged: 302, cacheEntries: 0 });
    expect(second.calls.PutObject).toBe(3);
    const manifest = JSON.parse((await objects.getText(BUCKET, second.result.manifest)) ?? "");
    expect([manifest.v, manifest.runtimeId]).toEqual([2, "built"]);
    expect(manifest.publicFiles.map(({ path, bytes }: { path: string; bytes: number }) => [path, bytes])).toEqual([
      ["copy.txt", 4],
      ["robots.txt", 4],
    ]);
  });

  it("of its public folder lie in a set that is named by them: the same files are copied once, whatever else is new", async () => {
    const root = join(folder, "sets");
    await write(root, { "assets/robots.txt": "all", "assets/docs/a b.txt": "guide", "assets/_next/static/chunks/one.js": "1" });
    const one = await upload(root, "dep_one");
    const { set } = one.result.files;
    expect(await textOf(`_public/${set}/docs/a b.txt`)).toBe("guide");
    // no visitor asks for it by its path: the router sends them to the set
    expect(await textOf("robots.txt")).toBeUndefined();
    await write(root, { "assets/_next/static/chunks/two.js": "2" });
    const two = await upload(root, "dep_two");
    expect(two.result.files).toEqual(one.result.files);
    expect(two.result).toMatchObject({ uploaded: 1, unchanged: 3 });
    await write(root, { "assets/robots.txt": "none" });
    const three = await upload(root, "dep_three");
    expect(three.result.files.set).not.toBe(set);
    expect([await textOf(`_public/${set}/robots.txt`), await textOf(`_public/${three.result.files.set}/robots.txt`)]).toEqual([
      "all",
      "none",
    ]);
  });

  describe("of a changed public folder", () => {
    const release = async (name: string, files: Readonly<Record<string, string>>, live?: string) => {
      const root = join(folder, `changed-${name}`);
      await write(root, Object.fromEntries(Object.entries(files).map(([path, text]) => [`assets/${path}`, text])));
      const { result, calls } = await upload(root, `dep_${name}`, undefined, live);
      const headOf = async (path: string) => {
        const Key = `site/_assets/_public/${result.files.set}/${path}`;
        const { Metadata, ContentType, CacheControl, ContentLength } = await aws.clients.s3.send(
          new HeadObjectCommand({ Bucket: BUCKET, Key }),
        );
        return { sha256: Metadata?.sha256, ContentType, CacheControl, ContentLength };
      };
      return { ...result, calls, headOf, textOf: (path: string) => textOf(`_public/${result.files.set}/${path}`) };
    };
    const posts = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`posts/${n} +ü.txt`, `post ${n}`]));

    it("are copied from what is live where their content is the same, under another name too, and served as if they were uploaded", async () => {
      const picture = { "_next/static/media/harbour.1a2b.png": "harbour" };
      const one = await release("one", { ...posts, "robots.txt": "all", ...picture });
      const two = await release("two", { ...posts, "robots.txt": "none", "moved.html": "post 7", ...picture }, one.manifest);
      expect(two.files.set).not.toBe(one.files.set);
      expect(two).toMatchObject({ uploaded: 1, bytes: 4, unchanged: 43 });
      // robots.txt and the manifest; the posts, the moved one and the picture
      expect([two.calls.PutObject, two.calls.CopyObject]).toEqual([2, 42]);
      expect(await Promise.all(["posts/7 +ü.txt", "robots.txt", "moved.html"].map(two.textOf))).toEqual(["post 7", "none", "post 7"]);
      expect(await two.textOf("_next/static/media/harbour.1a2b.png")).toBe("harbour");
      for (const path of ["posts/7 +ü.txt", "_next/static/media/harbour.1a2b.png"])
        expect(await two.headOf(path)).toEqual(await one.headOf(path));
      expect(await two.headOf("moved.html")).toEqual({ ...(await one.headOf("posts/7 +ü.txt")), ContentType: "text/html; charset=utf-8" });
    });

    it("are copied once: who died half-way copies what is missing, and who has ended nothing", async () => {
      const one = await release("begun", { ...posts, "a.txt": "begun" });
      const files = { ...posts, "a.txt": "died" };
      const two = await release("died", files, one.manifest);
      const lost = ["posts/3 +ü.txt", "posts/4 +ü.txt", "a.txt"].map((path) => `site/_assets/_public/${two.files.set}/${path}`);
      await objects.remove(BUCKET, lost);
      const again = await release("died", files, one.manifest);
      expect(again).toMatchObject({ files: two.files, uploaded: 1, unchanged: 40, calls: { CopyObject: 2 } });
      expect((await release("died", files, one.manifest)).calls).not.toHaveProperty("CopyObject");
    });

    it("are uploaded where what is live, or a file of it, is gone", async () => {
      const one = await release("three", { ...posts, "a.txt": "three" });
      await objects.remove(BUCKET, [`site/_assets/_public/${one.files.set}/posts/3 +ü.txt`]);
      const two = await release("four", { ...posts, "a.txt": "four" }, one.manifest);
      expect(two).toMatchObject({ uploaded: 2, unchanged: 39 });
      expect(await two.textOf("posts/3 +ü.txt")).toBe("post 3");
      await objects.putText(BUCKET, "site/_releases/of-a-newer-engine.json", '{"v":9}');
      for (const [name, live] of [
        ["five", "site/_releases/gone.json"],
        ["six", "site/_releases/of-a-newer-engine.json"],
      ] as const)
        expect(await release(name, { ...posts, "a.txt": name }, live)).toMatchObject({ uploaded: 41, unchanged: 0 });
    });
  });

  it("of pictures that pages import lie in the set too, where the image function looks for all of them", async () => {
    const root = join(folder, "media");
    await write(root, { "assets/logo.png": "logo", "assets/_next/static/media/harbour.1a2b.png": "harbour" });
    const { result } = await upload(root, "dep_media");
    expect(await textOf(`_public/${result.files.set}/_next/static/media/harbour.1a2b.png`)).toBe("harbour");
    expect(await textOf("_next/static/media/harbour.1a2b.png")).toBe("harbour");
    // it is no public file: its own path leads to it
    expect(result.files.paths?.split(",")).toHaveLength(1);
  });

  it("that Next.js names after a build id that builds share lie below the release's own", async () => {
    const root = join(folder, "shared");
    const manifest = "_next/static/build-TfctsWXpff2fKS/_buildManifest.js";
    for (const id of ["dep_first", "dep_second"]) {
      await write(root, { [`assets/${manifest}`]: id, "assets/_next/static/build-TfctsWXpff2fKS/page.js": "page" });
      await upload(root, id, "build-TfctsWXpff2fKS");
    }
    const paths = ["dep_first", "dep_second", "build-TfctsWXpff2fKS"].map((id) => `_next/static/${id}/_buildManifest.js`);
    expect(await Promise.all(paths.map(textOf))).toEqual(["dep_first", "dep_second", undefined]);
    expect(await textOf("_next/static/build-TfctsWXpff2fKS/page.js")).toBe("page");
  });

  it("are refused where there are more public ones than the edge's table takes", async () => {
    const paths = Array.from({ length: 60_000 }, (_, n) => `posts/${n}.txt`);
    expect(publicSetOf("0123456789abcdef", paths)).toBeUndefined();
    const many = publicSetOf("0123456789abcdef", paths.slice(0, 5_000));
    expect(many?.files).toMatchObject({ rows: many?.rows.length });
    for (const row of many?.rows ?? []) expect(Buffer.byteLength(row)).toBeLessThanOrEqual(1_024);
  });
});
