import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { assetPathsOf, basePathFault, checkPathBelow, isVersioned, placesOf, prefixOf } from "../../engine/open-next/asset-paths.ts";
import { assetsNamedBy, pageAnswerOf, redirectOf } from "../../engine/open-next/named-assets.ts";
import { OutputRefused, readOutput } from "../../engine/open-next/output.ts";

type Recorded = {
  output: { origins: { s3: { copy: { from: string; to: string }[] } } };
  config: { basePath: string; assetPrefix: string };
  assets: string[];
  page: string;
};
const folder = new URL("../fixtures/outputs/", import.meta.url).pathname;
const recorded = globSync("*.json", { cwd: folder }).map(
  (file) => [basename(file, ".json"), JSON.parse(readFileSync(folder + file, "utf8")) as Recorded] as const,
);
const pathsIn = ({ output, config }: Recorded) => {
  const { assets } = readOutput(JSON.stringify(output));
  return { ...assets, prefix: prefixOf(config.assetPrefix, assets.base) };
};
const answered = (body: string) => ({ status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body });

describe.each(recorded)("a real build, %s", (name, build) => {
  const paths = pathsIn(build);

  it("has its files where its page asks for them", () => {
    const there = new Set(build.assets.flatMap((path) => placesOf(paths, path)));
    const named = assetsNamedBy(answered(build.page), new URL(`https://shop.example.com${build.config.basePath}/`));
    if (name === "next-16-cdn") expect(named).toEqual([]);
    else expect(named.filter((path) => /\.(js|css)$/.test(path)).length).toBeGreaterThan(1);
    expect(named.filter((path) => !there.has(path))).toEqual([]);
  });

  it("has every static file for ever, and nothing else", () => {
    expect(build.assets.filter((path) => isVersioned(paths, path))).toEqual(build.assets.filter((path) => path.startsWith("_next/")));
  });

  it("has the basePath of its configuration", () => {
    expect(paths.base).toBe(build.config.basePath.slice(1));
  });
});

describe("where assets are asked for", () => {
  it("is below the basePath, and below an assetPrefix for what Next.js made", () => {
    const paths = { base: "docs", versioned: "docs/_next", prefix: "pre" };
    expect(placesOf(paths, "_next/static/a.js")).toEqual(["docs/_next/static/a.js", "pre/_next/static/a.js"]);
    expect(placesOf(paths, "robots.txt")).toEqual(["docs/robots.txt"]);
  });

  it.each([
    ["/pre/", "", "pre"],
    ["/docs", "docs", ""],
    ["https://cdn.example.com", "docs", ""],
    ["https://cdn.example.com/a/", "", "a"],
    ["", "docs", ""],
  ])("takes of the assetPrefix %j with the basePath %j the path %j", (assetPrefix, base, path) => {
    expect(prefixOf(assetPrefix, base)).toBe(path);
  });

  it.each([
    ["", "/", "/"],
    ["docs", "/", "/docs"],
    ["docs", "/health", "/docs/health"],
    ["docs", "/docs/health", "/docs/health"],
    ["docs", "/docsets", "/docs/docsets"],
  ])("is checked with the basePath %j and the check path %s at %s", (base, checkPath, path) => {
    expect(checkPathBelow(base, checkPath)).toBe(path);
  });

  it.each([
    [{ from: ".open-next/assets", to: "elsewhere" }],
    [{ from: ".open-next/assets", to: "_assets/../_cache" }],
    [{ from: ".open-next/assets", to: "_assetsx" }],
    [{ from: ".open-next/cache", to: "_assets" }],
    [{ from: "public", to: "_assets" }],
  ])("is refused where %j is copied", (copy) => {
    expect(assetPathsOf([copy])).toEqual({ refused: expect.stringMatching(/which is not supported: use @opennextjs\/aws 4\.x/) });
    const [, { output }] = recorded[0] ?? expect.unreachable();
    const said = { ...output, origins: { ...output.origins, s3: { copy: [copy] } } };
    expect(() => readOutput(JSON.stringify(said))).toThrow(OutputRefused);
  });

  it("is refused with another basePath than was declared where it has split functions alone, and says what to declare", () => {
    const [whole, split] = [
      [{}, {}],
      [{}, { patterns: ["api/*"] }],
    ];
    for (const packages of [whole, split]) {
      expect(basePathFault("/docs", { base: "docs" }, packages)).toBeUndefined();
      expect(basePathFault(undefined, { base: "docs" }, packages)).toBeUndefined();
    }
    expect(basePathFault("", { base: "docs" }, whole)).toBeUndefined();
    expect(basePathFault("/docs", { base: "" }, whole)).toBeUndefined();
    expect(basePathFault("", { base: "docs" }, split)).toMatch(
      /split functions and the basePath "\/docs".*below "".*set "basePath": "\/docs".*infrastructure.*retry/,
    );
    expect(basePathFault("/docs", { base: "" }, split)).toMatch(/the basePath "", .*below "\/docs"/);
  });
});

describe("what a page names", () => {
  const page = new URL("https://shop.example.com/docs");
  const named = (body: string) => assetsNamedBy(answered(body), page);

  it("is its scripts and styles of the build, decoded and without their query, each once", () => {
    expect(
      named(`<link href='/_next/static/css/a%20b.css?dpl=1&amp;v=2' rel="stylesheet"/><script async src="/_next/static/c.js"></script>
<SCRIPT src="../x/_next/static/d.js"></SCRIPT><script src="/_next/static/c.js?again"></script>`),
    ).toEqual(["_next/static/css/a b.css", "_next/static/c.js", "x/_next/static/d.js"]);
  });

  it("is not what another host serves, what the app serves itself, or what is no file to run or to style with", () => {
    expect(
      named(`<script src="https://cdn.example.com/_next/static/a.js"></script><script src="/own.js"></script><script>"<img>"</script>
<link rel="preload" href="/_next/static/media/f.woff2"/><link rel="icon" href="/_next/static/i.png"/><script src="http://["></script>`),
    ).toEqual([]);
    expect(
      assetsNamedBy({ status: 200, headers: { "content-type": "application/json" }, body: '<script src="/_next/static/a.js">' }, page),
    ).toEqual([]);
  });

  it("is read from a whole answer, a base64 one, and a stream's", () => {
    const body = "<p>é</p>";
    const headers = { "Content-Type": "text/html" };
    const wanted = { status: 200, headers: { "content-type": "text/html" }, body };
    expect(pageAnswerOf(JSON.stringify({ statusCode: 200, headers, body }))).toEqual(wanted);
    const base64 = Buffer.from(body).toString("base64");
    expect(pageAnswerOf(JSON.stringify({ statusCode: 200, headers, body: base64, isBase64Encoded: true }))).toEqual(wanted);
    expect(pageAnswerOf(`${JSON.stringify({ statusCode: 200, headers })}${"\0".repeat(8)}${body}`)).toEqual(wanted);
    for (const none of ["", "null", "[]", '{"statusCode":"200"}', "half"]) expect(pageAnswerOf(none)).toBeUndefined();
  });

  it("is looked for behind a redirect on the same host alone", () => {
    const to = (location: string, status = 308) => redirectOf({ status, headers: { location }, body: "" }, page)?.href;
    expect([to("/docs/"), to("docs/?a=1"), to("https://login.example.com/"), to("/x", 200), to("http://[")]).toEqual([
      "https://shop.example.com/docs/",
      "https://shop.example.com/docs/?a=1",
      undefined,
      undefined,
      undefined,
    ]);
  });
});
