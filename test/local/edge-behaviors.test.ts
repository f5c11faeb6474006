import { describe, expect, test } from "vitest";
import { router } from "../../local/edge/behaviors.ts";

const originOf = router([
  { pattern: "_next/image*", origin: "imageOptimizer" },
  { pattern: "_next/data/*", origin: "default" },
  { pattern: "*", origin: "default" },
  { pattern: "BUILD_ID", origin: "s3" },
  { pattern: "_next/*", origin: "s3" },
  { pattern: "docs/*", origin: "s3" },
  { pattern: "robots.txt", origin: "s3" },
]);

describe("The behaviours of a release", () => {
  test.each([
    ["/", "default"],
    ["/ssr", "default"],
    ["/robots.txt", "s3"],
    ["/BUILD_ID", "s3"],
    ["/_next/static/chunks/a.js", "s3"],
    ["/_next/image", "imageOptimizer"],
    ["/_next/data/rel-1/index.json", "default"],
    ["/docs/deep/guide.txt", "s3"],
  ])("send %s to %s", (path, origin) => {
    expect(originOf(path)).toBe(origin);
  });

  test.each(["/robots.txt.bak", "/my/robots.txt", "/robotsXtxt", "/Robots.txt", "/docs", "/build_id"])("leave %s to the server", (path) => {
    expect(originOf(path)).toBe("default");
  });

  test("take the most specific pattern, in whatever order they are listed", () => {
    const behaviors = ["a/*", "*", "a/b/c", "a/b/*"].map((pattern) => ({ pattern, origin: pattern }));
    for (const listed of [behaviors, behaviors.toReversed()]) {
      const of = router(listed);
      expect(["/a/b/c", "/a/b/d", "/a/d", "/d"].map(of)).toEqual(["a/b/c", "a/b/*", "a/*", "*"]);
    }
  });

  test("take what a pattern says before its first wildcard for more than what comes after", () => {
    const of = router(["*/docs/page/*", "_next/*", "api*", "api/deep*"].map((pattern) => ({ pattern, origin: pattern })));
    expect(["/_next/static/docs/page/a.js", "/en/docs/page/a", "/api/deep/x", "/api/x"].map(of)).toEqual([
      "_next/*",
      "*/docs/page/*",
      "api/deep*",
      "api*",
    ]);
  });

  test("know CloudFront's wildcards: * for any characters, ? for exactly one", () => {
    const of = router([
      { pattern: "*.jp?g", origin: "s3" },
      { pattern: "v?/x", origin: "imageOptimizer" },
    ]);
    expect(["/deep/a.jpeg", "/a.jpg", "/v1/x", "/v/x", "/v12/x"].map(of)).toEqual([
      "s3",
      "default",
      "imageOptimizer",
      "default",
      "default",
    ]);
  });
});
