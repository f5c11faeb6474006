import { describe, expect, test } from "vitest";
import { cacheKeys } from "../../blueprint/edge-behaviors.ts";
import { filesKey, liveKey, publicSetOf, releaseKey } from "../../blueprint/edge-table.ts";
import type { Route } from "../../domain/environment/route.ts";
import { loadRouter, type ReadRow, type Routed, routerSource } from "../../local/edge/router-runtime.ts";
import { asRouted, routerEvent, type ViewerRequest } from "../../local/edge/viewer-request.ts";
import { DISTRIBUTION, release, routeOf } from "../support/stub-edge.ts";

const route = loadRouter(routerSource());

type Row = object | string;
const SET = "a".repeat(16);
const LIVE: Route = routeOf(9, {
  files: publicSetOf(SET, ["robots.txt", "docs/größe.txt", "100%.txt"])?.files ?? routeOf(9).files,
});
const OLD = routeOf(4);
const inTheWindow = (): object => ({ ...OLD, until: Math.floor(Date.now() / 1_000) + 60 });
const TABLE = { [liveKey(DISTRIBUTION)]: LIVE, [releaseKey(DISTRIBUTION, OLD.release)]: inTheWindow() };
const rowsOf =
  (rows: Readonly<Record<string, Row>>): ReadRow =>
  (key) => {
    const row = rows[key];
    return typeof row === "object" ? JSON.stringify(row) : row;
  };

type Asked = { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly requestId?: string };
type Answer = {
  readonly routed: Routed;
  readonly request: ViewerRequest;
  readonly keys: string[];
  readonly to: string;
  readonly under: string | undefined;
};

/** What the router makes of a request; `to` is the function's id, the origin's, or `behavior`. */
const ask = async (
  url: string,
  { method = "GET", headers = {}, requestId = "r" }: Asked = {},
  read: ReadRow = rowsOf(TABLE),
): Promise<Answer> => {
  const [path = "", query = ""] = url.split("?");
  const asked = { method, path, query, headers: { host: "web.example", ...headers } };
  const event = routerEvent(asked, { distribution: DISTRIBUTION, requestId, ip: "192.0.2.1" });
  const routed = await route(event, read);
  const { origin } = routed;
  const to = origin === undefined ? "behavior" : "originId" in origin ? origin.originId : origin.domainName.replace(OLD.host, "");
  const request = asRouted(asked, event, routed.request);
  return { routed, request, keys: routed.reads.map(({ key }) => key), to, under: request.headers["x-shiplog-release"] };
};
const DOCUMENT = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const named = (id: string) => ({ headers: { "x-deployment-id": id } });

describe("A document", () => {
  test.each([
    ["that a browser navigates to", { "sec-fetch-dest": "document" }],
    ["that says only what it takes", DOCUMENT],
  ])("%s comes from what is live, also where it names a release that is there", async (_, headers) => {
    for (const method of ["GET", "HEAD"]) {
      const asked = { method, headers: { ...headers, "x-deployment-id": OLD.release, cookie: `__vdpl=${OLD.release}` } };
      const { to, under, keys } = await ask(`/page?dpl=${OLD.release}`, asked);
      expect([to, under, keys]).toEqual(["server9", "9", [liveKey(DISTRIBUTION)]]);
    }
  });

  test("is not what asks for the payload of a page, whatever it takes", async () => {
    expect((await ask("/page", { headers: { ...DOCUMENT, rsc: "1", "x-deployment-id": OLD.release } })).to).toBe("server4");
  });
});

describe("What a release's own page asks for", () => {
  test.each<[string, string, Asked, string]>([
    ["a navigation, by its header", "/page?_rsc=1", { headers: { rsc: "1", "x-deployment-id": OLD.release } }, "server4"],
    ["a Server Action, by its header", "/page", { method: "POST", headers: { ...DOCUMENT, "x-deployment-id": OLD.release } }, "server4"],
    ["a picture, by its query", `/_next/image?url=a&w=1&q=1&dpl=${OLD.release}`, {}, "image4"],
    ["a page's data, by its path", `/_next/data/${OLD.release}/page.json`, {}, "server4"],
    ["a header before a query", `/page?dpl=${release(9)}`, named(OLD.release), "server4"],
    ["a query, where the header is no id", `/page?dpl=${OLD.release}`, named("build-TfctsWXpff2fKS"), "server4"],
  ])("goes to it: %s", async (_, url, asked, to) => {
    const { to: chosen, under, keys } = await ask(url, asked);
    expect([chosen, under, keys]).toEqual([to, "4", [releaseKey(DISTRIBUTION, OLD.release)]]);
  });

  test.each<[string, string, Asked]>([
    ["the header of an unknown release and the query of a known one", `/page?dpl=${OLD.release}`, named(release(5))],
    ["no id", "/page", {}],
    ["a form without JavaScript", "/page", { method: "POST", headers: DOCUMENT }],
  ])("goes to what is live: %s", async (_, url, asked) => {
    expect((await ask(url, asked)).to).toBe("server9");
  });

  test.each<[string, Row]>([
    ["whose window is over", { ...OLD, until: Math.floor(Date.now() / 1_000) - 1 }],
    ["whose row is no JSON", "{v:1"],
    ["whose row is null", "null"],
    ["whose row is empty", ""],
    ["whose row is of another version", { ...OLD, v: 2 }],
    ["whose address is another host's", { ...OLD, server: "evil.example/" }],
    ["whose host begins without a dot", { ...OLD, host: "evil.example" }],
    ["whose address is no number", { ...OLD, address: "4, 5" }],
    ["whose window is no number", { ...OLD, until: "tomorrow" }],
    ["whose files are missing", { ...OLD, files: undefined }],
    ["whose split functions are no list", { ...OLD, split: "api/*" }],
    ["whose split functions have no address", { ...OLD, split: [["api/*"]] }],
  ])("goes to what is live where its release is one %s", async (_, row) => {
    const { to, under, keys } = await ask("/page", named(OLD.release), rowsOf({ ...TABLE, [releaseKey(DISTRIBUTION, OLD.release)]: row }));
    expect([to, under, keys]).toEqual(["server9", "9", [releaseKey(DISTRIBUTION, OLD.release), liveKey(DISTRIBUTION)]]);
  });

  test("is another site's nowhere: an id is looked up for this distribution alone", async () => {
    const { to } = await ask("/page", named(release(5)), rowsOf({ ...TABLE, [releaseKey("EOTHER", release(5))]: routeOf(5) }));
    expect(to).toBe("server9");
  });

  test.each([
    ["long", `dep_${"0".repeat(9_000)}`],
    ["of other letters", `dep_${"é".repeat(26)}`],
    ["of lower case", release(4).toUpperCase()],
    ["with more behind it", `${OLD.release}\n`],
    ["of a prototype", "__proto__"],
    ["a key of the table", liveKey(DISTRIBUTION)],
  ])("is not looked up where its id is forged: %s", async (_, id) => {
    for (const [url, asked] of [
      ["/page", named(id)],
      [`/page?dpl=${encodeURIComponent(id)}`, {}],
      [`/_next/data/${encodeURIComponent(id)}/a.json`, {}],
    ] as const)
      expect((await ask(url, asked)).keys).toEqual([liveKey(DISTRIBUTION)]);
  });
});

describe("The release that was chosen", () => {
  const FORGED = { "x-shiplog-deployment": "dep_forged" };

  test("is named to what may name it on the answer, whatever a visitor says", async () => {
    const named = async (url: string, headers: Record<string, string> = {}) =>
      (await ask(url, { headers: { ...FORGED, ...headers } })).request.headers["x-shiplog-deployment"];
    expect(await named("/page", DOCUMENT)).toBe(LIVE.release);
    expect(await named("/page", { "x-deployment-id": OLD.release })).toBe(OLD.release);
    expect(await named("/robots.txt")).toBe(LIVE.release);
    // files that every release shares are nobody's
    expect(await named("/_next/static/chunks/a.js")).toBeUndefined();
  });

  test("is named by nobody where the table says nothing, and keeps no answers apart", async () => {
    const { request } = await ask("/page", { headers: { ...DOCUMENT, ...FORGED } }, () => undefined);
    expect(request.headers["x-shiplog-deployment"]).toBeUndefined();
    expect(Object.values(cacheKeys).flatMap(({ headers }) => headers)).not.toContain("x-shiplog-deployment");
  });
});

describe("A table that says nothing", () => {
  const refused = (): never => {
    throw new Error("throttled");
  };
  test.each<[string, ReadRow]>([
    ["is empty", () => undefined],
    ["can not be read", refused],
    ["was written by hand", () => "live"],
  ])("because it %s, leaves a request to its behaviour's own origin, apart from what releases answer", async (_, read) => {
    for (const asked of [{ headers: DOCUMENT }, named(OLD.release)]) {
      const { to, under, request } = await ask("/robots.txt?a=1", asked, read);
      expect([to, under, request.path, request.query]).toEqual(["behavior", "live", "/robots.txt", "a=1"]);
    }
  });
});

describe("A path", () => {
  const split: Route["split"] = [
    ["api/*", "api"],
    ["api/deep/*", "deep"],
    ["v?/x", "v"],
    ["_next/data/*/only.json", "only"],
    ["exact", "exact"],
  ];
  const read = rowsOf({ [liveKey(DISTRIBUTION)]: { ...LIVE, split } });
  const below = rowsOf({ [liveKey(DISTRIBUTION)]: { ...LIVE, split, base: "shop/eu" } });

  test.each([
    ["/", "server9"],
    ["/_next/image", "image9"],
    ["/_next/data/b/a.json", "server9"],
    ["/_next/data/b/only.json", "only"],
    ["/_next/other.txt", "behavior"],
    ["/api/x", "api"],
    ["/api/deep/x", "deep"],
    ["/api", "server9"],
    ["/v1/x", "v"],
    ["/v12/x", "server9"],
    ["/exact", "exact"],
    ["/exactly", "server9"],
    ["/my/_next/image", "server9"],
  ])("goes where the release's patterns say, with a basePath and without: %s to %s", async (path, to) => {
    expect((await ask(path, {}, read)).to).toBe(to);
    expect((await ask(`/shop/eu${path}`, {}, below)).to).toBe(to);
  });

  test.each(["/api/deep/x", "/_next/data/b/only.json", "/_next/image"])(
    "goes to the most specific in whatever order they are listed: %s",
    async (path) => {
      const reversed = rowsOf({ [liveKey(DISTRIBUTION)]: { ...LIVE, split: split.toReversed() } });
      expect((await ask(path, {}, reversed)).to).toBe((await ask(path, {}, read)).to);
    },
  );

  test("that is not below the basePath goes to the server", async () => {
    expect((await ask("/_next/image", {}, below)).to).toBe("server9");
    expect((await ask("/shop/eu-_next/image", {}, below)).to).toBe("server9");
  });

  test("of Next.js' files that is not below the basePath is left to its behaviour, which finds none", async () => {
    for (const path of ["/_next/x", "/_next/other.txt", "/_next/static/x.js"]) expect((await ask(path, {}, below)).to).toBe("behavior");
    expect((await ask("/_next/data/b/a.json", {}, below)).to).toBe("server9");
  });

  test("that was made to be compared for ever is compared at once", async () => {
    const stars = rowsOf({ [liveKey(DISTRIBUTION)]: { ...LIVE, split: [["*a*a*a*a*a*a*a*b", "slow"]] } });
    expect((await ask(`/${"a".repeat(2_000)}`, {}, stars)).to).toBe("server9");
  });
});

describe("A public file", () => {
  const asked = { headers: { cookie: "a=1", "next-url": "/", "x-amz-content-sha256": "forged", "if-none-match": '"e"' } };

  test.each(["/robots.txt", "/docs/gr%C3%B6%C3%9Fe.txt", "/docs/gr%c3%b6%c3%9fe.txt", "/100%25.txt"])(
    "comes from the set of the release, under its path alone: %s",
    async (path) => {
      for (const method of ["GET", "HEAD"]) {
        const { request, to, keys } = await ask(`${path}?v=1`, { ...asked, method });
        expect([request.path, request.query, to, keys]).toEqual([`/_public/${SET}${path}`, "", "files", [liveKey(DISTRIBUTION)]]);
        const { "x-shiplog-deployment": chosen, ...headers } = request.headers;
        expect([chosen, headers]).toEqual([
          LIVE.release,
          { host: "web.example", "x-forwarded-host": "web.example", "if-none-match": '"e"' },
        ]);
      }
    },
  );

  test.each<[string, string, Asked]>([
    ["what is posted", "/robots.txt", { method: "POST" }],
    ["the payload of a page", "/robots.txt", { headers: { rsc: "1" } }],
    ["a folder", "/docs/", {}],
    ["a path that can not be decoded", "/%zz", {}],
    ["another path", "/robots.txt.bak", {}],
  ])("is not %s", async (_, path, how) => {
    expect((await ask(path, how)).to).toBe("server9");
  });

  test("of many is found by one more look-up, and none of 5,000 is missed", async () => {
    const names = Array.from({ length: 5_000 }, (_, at) => `pictures/${at}.png`);
    const { files, rows } = publicSetOf(SET, names) ?? expect.fail("they do not fit");
    const table = {
      ...TABLE,
      [liveKey(DISTRIBUTION)]: { ...LIVE, files },
      ...Object.fromEntries(rows.map((row, at) => [filesKey(DISTRIBUTION, SET, at), row])),
    };
    for (const name of names.filter((_, at) => at % 50 === 0)) expect((await ask(`/${name}`, {}, rowsOf(table))).to).toBe("files");
    expect((await ask("/pictures/5000.png", {}, rowsOf(table))).to).toBe("server9");
    for (const path of ["/", "/pictures/"]) expect((await ask(path, {}, rowsOf(table))).keys).toEqual([liveKey(DISTRIBUTION)]);
    // of a page that was open for too long, or is in a mail: a picture that is there still is no error
    const { keys, to } = await ask("/pictures/1.png", named(release(5)), rowsOf(table));
    expect([keys.length, to]).toEqual([3, "files"]);
    expect((await ask("/pictures/1.png", {}, rowsOf({ [liveKey(DISTRIBUTION)]: { ...LIVE, files } }))).to).toBe("server9");
  });
});

describe("A static file", () => {
  test.each(["/_next/static/chunks/a.js", "/shop/_next/static/media/a.png", "/assets/v1/_next/static/css/a.css"])(
    "is itself in every release, and nothing is looked up: %s",
    async (path) => {
      const { request, keys, to } = await ask(`${path}?dpl=${OLD.release}`);
      expect([request.path, request.query, keys, to]).toEqual([path, `dpl=${OLD.release}`, [], "behavior"]);
    },
  );

  test.each(["_buildManifest.js", "_ssgManifest.js"])("that every build names alike is the release's own: %s", async (name) => {
    const path = (id: string): string => `/shop/_next/static/${id}/${name}`;
    const of = async (url: string, read?: ReadRow) => {
      const { request, keys } = await ask(url, {}, read);
      return [request.path, keys.length];
    };
    expect(await of(`${path("build-Tfcts")}?dpl=${OLD.release}`)).toEqual([path(OLD.release), 0]);
    expect(await of(path("build-Tfcts"))).toEqual([path(LIVE.release), 1]);
    expect(await of(`${path("build-Tfcts")}?dpl=../../secret`)).toEqual([path(LIVE.release), 1]);
    expect(await of(path(OLD.release))).toEqual([path(OLD.release), 0]);
    expect(await of(path("build-Tfcts"), () => undefined)).toEqual([path("build-Tfcts"), 1]);
  });
});

describe("A candidate", () => {
  const CANDIDATE = routeOf(12);
  const at = (percent: number, sequence = 12): Readonly<Record<string, Row>> => ({
    [liveKey(DISTRIBUTION)]: { ...LIVE, candidate: { release: CANDIDATE.release, sequence, percent } },
    [releaseKey(DISTRIBUTION, CANDIDATE.release)]: CANDIDATE,
    [releaseKey(DISTRIBUTION, OLD.release)]: inTheWindow(),
  });
  const at30 = at(30);
  const kept = (bucket: number, sequence = 12) => ({ cookie: `__shiplog=${bucket}.${sequence}` });
  const visit = (headers: object, percent: number, url = "/page") => ask(url, { headers: { ...headers } }, rowsOf(at(percent)));

  test("answers the visitors of its buckets, with documents and all that names no release", async () => {
    for (const headers of [DOCUMENT, {}, { rsc: "1" }]) {
      expect((await visit({ ...headers, ...kept(99) }, 10)).to).toBe("server12");
      expect((await visit({ ...headers, ...kept(100) }, 10)).to).toBe("server9");
      expect((await visit({ ...headers, ...kept(0) }, 0)).to).toBe("server9");
      expect((await visit({ ...headers, ...kept(999) }, 100)).to).toBe("server12");
      expect((await visit(headers, 100)).to).toBe("server12");
    }
    const { under, request } = await visit({ ...DOCUMENT, ...kept(99) }, 10);
    expect([under, request.headers["x-shiplog-deployment"]]).toEqual(["12", CANDIDATE.release]);
  });

  test("moves nobody back who has it when its percentage grows", async () => {
    const having = async (percent: number) => {
      const all = Array.from({ length: 100 }, (_, at) => at * 10);
      const to = await Promise.all(all.map(async (bucket) => (await visit({ ...DOCUMENT, ...kept(bucket) }, percent)).to));
      return all.filter((_, at) => to[at] === "server12");
    };
    const [ten, fifty] = [await having(10), await having(50)];
    expect([ten.length, fifty.length]).toEqual([10, 50]);
    expect(fifty).toEqual(expect.arrayContaining(ten));
  });

  test("leaves everybody at once when its row says nothing more, or its own is gone", async () => {
    for (const rows of [TABLE, { ...at(100), [releaseKey(DISTRIBUTION, CANDIDATE.release)]: "" }])
      expect((await ask("/page", { headers: { ...DOCUMENT, ...kept(0) } }, rowsOf(rows))).to).toBe("server9");
  });

  test("is drawn by documents alone, as often as its percentage says, and the bucket is handed on", async () => {
    const drawn = await Promise.all(
      Array.from({ length: 500 }, (_, at) => ask("/page", { headers: DOCUMENT, requestId: `request ${at}` }, rowsOf(at30))),
    );
    const chosen = drawn.filter(({ to }) => to === "server12");
    expect(chosen.length / drawn.length).toBeGreaterThan(0.22);
    expect(chosen.length / drawn.length).toBeLessThan(0.38);
    for (const { to, request } of drawn) {
      const [, bucket, sequence] = /^(\d{1,3})\.(\d+)$/.exec(request.headers["x-shiplog-bucket"] ?? "") ?? expect.fail("no bucket");
      expect([to, sequence]).toEqual([Number(bucket) < 300 ? "server12" : "server9", "12"]);
    }
    const { to, request } = await ask("/page", { headers: { "x-shiplog-bucket": "0.12" } }, rowsOf(at(99)));
    expect([to, request.headers["x-shiplog-bucket"]]).toEqual(["server9", undefined]);
  });

  test.each([
    ["of another candidate", "0.11"],
    ["of nobody", "1000.12"],
    ["below all", "-1.12"],
    ["of no number", "a.12"],
    ["of nothing", ""],
  ])("is drawn again where the cookie's bucket is one %s", async (_, value) => {
    const asked = { ...DOCUMENT, cookie: `__shiplog=${value}` };
    expect((await visit(asked, 100)).request.headers["x-shiplog-bucket"]).toMatch(/^\d{1,3}\.12$/);
    expect((await visit({ ...DOCUMENT, ...kept(5) }, 100)).request.headers["x-shiplog-bucket"]).toBeUndefined();
  });

  test("takes nothing from a page of another release: what names one goes there, and to what is live where it is gone", async () => {
    const ofPage = (id: string) => visit({ "x-deployment-id": id, ...kept(0) }, 100);
    expect((await ofPage(OLD.release)).to).toBe("server4");
    expect((await ofPage(CANDIDATE.release)).to).toBe("server12");
    expect((await ofPage(release(5))).to).toBe("server9");
    expect((await visit({ ...DOCUMENT, ...kept(999), "x-deployment-id": CANDIDATE.release }, 10)).to).toBe("server9");
  });

  test.each<[string, unknown]>([
    ["names no release", { release: "live", sequence: 12, percent: 100 }],
    ["has no percentage", { release: CANDIDATE.release, sequence: 12, percent: "all" }],
    ["is null", null],
  ])("that %s makes the row nobody's", async (_, candidate) => {
    const rows = { ...at(100), [liveKey(DISTRIBUTION)]: { ...LIVE, candidate } };
    expect((await ask("/page", { headers: DOCUMENT }, rowsOf(rows))).to).toBe("behavior");
  });

  test("costs one look-up of those that have it, and three with a public file", async () => {
    const { files, rows } =
      publicSetOf(
        SET,
        Array.from({ length: 300 }, (_, at) => `${at}.png`),
      ) ?? expect.fail("they do not fit");
    const table = {
      ...at(10),
      [releaseKey(DISTRIBUTION, CANDIDATE.release)]: { ...CANDIDATE, files },
      ...Object.fromEntries(rows.map((row, index) => [filesKey(DISTRIBUTION, SET, index), row])),
    };
    expect((await ask("/page", { headers: { ...DOCUMENT, ...kept(100) } }, rowsOf(table))).keys).toHaveLength(1);
    const { to, keys } = await ask("/7.png", { headers: kept(0) }, rowsOf(table));
    expect([to, keys.length]).toEqual(["files", 3]);
  });

  test("is not drawn again by a run that begins anew with the rows that were missing", async () => {
    const late: ReadRow = async (key) => Promise.resolve(rowsOf(at30)(key));
    for (let index = 0; index < 50; index++) {
      const asked = { headers: DOCUMENT, requestId: `late ${index}` };
      expect((await ask("/page", asked, late)).to).toBe((await ask("/page", asked, rowsOf(at30))).to);
    }
  });
});

describe("What a visitor says of the edge's own", () => {
  test.each(["/page", "/_next/static/a.js", "/robots.txt"])("is taken away, and the host that was asked is said: %s", async (path) => {
    const headers = {
      "x-shiplog-release": "4",
      "x-shiplog-origin": "k",
      "x-shiplog-deployment": "dep",
      "x-forwarded-host": "evil.example",
      "x-other": "1",
    };
    const { request } = await ask(path, { headers });
    const { "x-shiplog-release": under, "x-shiplog-deployment": chosen, ...rest } = request.headers;
    expect(chosen).toBe(path.startsWith("/_next/static/") ? undefined : LIVE.release);
    expect(rest).toEqual({ host: "web.example", "x-forwarded-host": "web.example", "x-other": "1" });
    expect(under).toBe(path === "/page" ? "9" : undefined);
  });

  test("and everything else of a request stays as it came", async () => {
    const { request } = await ask("/a%20b?x=1&y&x=%202&z=", { headers: { cookie: "a=1; b; a=2", connection: "close" } });
    expect(request).toMatchObject({ path: "/a%20b", query: "x=1&y&x=%202&z=", headers: { cookie: "a=1; b; a=2", connection: "close" } });
  });
});
