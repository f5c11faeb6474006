import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { behaviorsOf } from "../../blueprint/edge-behaviors.ts";
import { componentName } from "../../blueprint/engine-functions.ts";
import { type Occupied, occupiedByEngine, occupiedByPlace, sharedNames } from "../../blueprint/occupied-names.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { Site } from "../../blueprint/sites.ts";
import { settingsOf } from "../../engine/open-next/settings.ts";
import { readSites } from "../../local/sites.ts";
import { runCli } from "../cli/support/run-cli.ts";

let folder: string;
let sitesFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "site-names-"));
  sitesFile = join(folder, "shiplog.sites.json");
  await mkdir(join(folder, "app"));
  await writeFile(join(folder, "app/package.json"), "{}");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Declared = Record<string, readonly (string | { name: string; domains: string[] })[]>;
const declare = async (sites: Declared, begin = ""): Promise<void> => {
  const list = Object.entries(sites).map(([name, environments]) => ({
    name,
    source: "app",
    environments: environments.map((one) => (typeof one === "string" ? { name: one } : one)),
  }));
  await writeFile(sitesFile, begin + JSON.stringify({ sites: list }));
};
const refusal = async (): Promise<string> =>
  readSites({ sitesFile }).then(
    () => "taken",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** The sites as the infrastructure takes them. */
const forInfrastructure = async (): Promise<unknown> => {
  vi.resetModules();
  vi.stubGlobal("$cli", { paths: { root: folder } });
  vi.stubEnv("SHIPLOG_SITES", sitesFile);
  try {
    const module = "../../infra/declared-sites.ts"; // of SST's world: its globals are types there alone
    return await import(module);
  } finally {
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  }
};

const MEETING: [string, Declared, string][] = [
  [
    "a dash that may belong to the site or to the environment",
    { shop: ["eu-live"], "shop-eu": ["live"] },
    "shop/eu-live and shop-eu/live would share the function shiplog-shop-eu-live-server and 23 more names: rename one of them",
  ],
  [
    "a digit after a dash, which the infrastructure writes without it",
    { "web-1": ["live"], web1: ["live"] },
    "web-1/live and web1/live would share the component of the infrastructure Web1Live and 12 more names: rename one of them",
  ],
  [
    "the same digit in two environments",
    { web: ["pr-1", "pr1"] },
    "web/pr-1 and web/pr1 would share the component of the infrastructure WebPr1 and 12 more names: rename one of them",
  ],
  [
    "a component of the engine",
    { start: ["build"] },
    "the engine and start/build would share the component of the infrastructure StartBuild: rename one of them",
  ],
  [
    "the folder of the engine's secrets",
    { webhooks: ["live"] },
    "the engine and the site webhooks would share the secret shiplog/webhooks/: rename one of them",
  ],
  [
    "a domain",
    { web: [{ name: "live", domains: ["example.com"] }], docs: [{ name: "live", domains: ["docs.example.com", "example.com"] }] },
    "web/live and docs/live would share the domain example.com: rename one of them",
  ],
];

describe("sites whose names meet in", () => {
  it.each(MEETING)("%s are refused, with both and the name they share", async (_, sites, sentence) => {
    await declare(sites);
    expect(await refusal()).toBe(`SitesRefused: ${sitesFile} declares names that meet:\n${sentence}`);
  });

  it("anything are refused by the infrastructure too, and by `shiplog dev`", async () => {
    await declare({ shop: ["eu-live"], "shop-eu": ["live"] });
    await expect(forInfrastructure()).rejects.toThrow("shop/eu-live and shop-eu/live would share the function");
    const { code, err } = await runCli(["dev", "--sites", sitesFile, "--data", join(folder, "data")]);
    expect(code).toBe(2);
    expect(err).toContain("shop/eu-live and shop-eu/live would share the function shiplog-shop-eu-live-server");
  });
});

describe("sites whose names do not meet", () => {
  it("are taken, however alike they are", async () => {
    await declare({ shop: ["live", "eu-live", "live-eu"], "shop-fr": ["live"], live: ["shop"], api: ["live"], relay: ["server"] });
    expect(await refusal()).toBe("taken");
  });

  it("have patterns that fit all of them, and no name of the engine's own", () => {
    const patterns = occupiedByPlace({ name: "*", functions: { "*": [] } }, { name: "*", domains: [] });
    const isOfAws = ({ namespace }: Occupied) => namespace !== "component of the infrastructure";
    const fits = ({ namespace, name }: Occupied) =>
      patterns.some((one) => one.namespace === namespace && new RegExp(`^${one.name.replaceAll("*", ".*")}$`).test(name));
    const shop = occupiedByPlace({ name: "shop", functions: { api: [] } }, { name: "eu-live", domains: [] }).filter(isOfAws);
    expect(shop.filter((one) => !fits(one))).toEqual([]);
    // the pattern of secrets fits those of webhooks, and rights deny them beside it
    const own = occupiedByEngine().filter(isOfAws);
    expect(own.filter(fits).map(({ name }) => name)).toEqual(["shiplog/webhooks/"]);
  });

  const name = fc.array(fc.constantFrom("a", "b", "1", "-"), { minLength: 1, maxLength: 6 }).map((letters) => letters.join(""));
  const usable = name.filter((text) => Site.shape.name.safeParse(text).success);
  const place = fc.record({ site: usable, environment: usable });

  it("have no name of AWS in common, whatever they are", () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        fc.pre(one.site !== other.site || one.environment !== other.environment);
        const sites = [...new Set([one.site, other.site])].map((site) => ({
          name: site,
          functions: {},
          environments: [one, other].filter((place) => place.site === site).map(({ environment }) => ({ name: environment, domains: [] })),
        }));
        const namesOf = ({ site, environment }: typeof one) => {
          const { alias, functions, ...more } = siteResources(site, environment);
          return [...Object.values(functions), ...Object.values(more), componentName(`${site}-${environment}`)];
        };
        const common = namesOf(one).filter((text) => namesOf(other).includes(text));
        expect(sharedNames(sites).length > 0).toBe(common.length > 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a site's split functions", () => {
  const paths = (name: string, count: number): string[] => Array.from({ length: count }, (_, number) => `${name}/${number}`);
  const site = (functions: object, environments = ["live"], name = "web") => ({
    ...{ name, source: "app", functions },
    environments: environments.map((one) => ({ name: one })),
  });
  const sentence = async (...sites: object[]): Promise<string> => {
    await writeFile(sitesFile, JSON.stringify({ sites }));
    return refusal();
  };

  it("have names of letters and digits, and paths that a CDN takes, with or without a slash before them", async () => {
    expect(await sentence(site({ api: ["/api/*", "hooks"], ssrFunction: ["docs/*/edit?"] }))).toBe("taken");
    expect((await readSites({ sitesFile }))[0]?.functions).toEqual({ api: ["api/*", "hooks"], ssrFunction: ["docs/*/edit?"] });
  });

  it.each([
    [{ "my-api": ["a"] }, "Invalid key in record"],
    [{ default: ["a"] }, "Invalid key in record"],
    [{ api: [] }, "expected array to have >=1 items"],
    [{ api: ["/*"] }, "must leave the other paths to the server"],
    [{ api: ["/[id]"] }, "as CloudFront takes it"],
    [{ api: ["/api/*", "api/*"] }, "a path is named twice"],
    [{ api: ["api/*"], hooks: ["/api/*"] }, "a path is named twice"],
    [{ api: ["_next/data/*"] }, "a path is named twice, or is one of _next/image*"],
    [{ api: ["a"], API: ["b"] }, "two names differ in capitals alone"],
    [
      Object.fromEntries(["api", "hooks", "admin", "docs"].map((name) => [name, paths(name, 18)])),
      "must have 69 paths at most, all together",
    ],
    [Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`fn${n}`, [`${n}`]])), "must be 10 at most"],
  ])("are refused otherwise: %j", async (functions, words) => {
    expect(await sentence(site(functions))).toContain(words);
  });

  it("have as many paths as CloudFront has room for beside what each site has", async () => {
    const functions = Object.fromEntries(
      ["api", "hooks", "admin", "docs", "more"].map((name, n) => [name, paths(name, n === 0 ? 13 : 14)]),
    );
    expect(await sentence(site(functions))).toBe("taken");
    const [declared] = await readSites({ sitesFile });
    expect(behaviorsOf({ functions: declared?.functions ?? {} })).toHaveLength(75);
  });

  it("are refused where their functions would share a name, or have one that is too long", async () => {
    expect(await sentence(site({ image: ["a"] }, ["live", "live-server"]))).toContain(
      "web/live and web/live-server would share the function shiplog-web-live-server-image",
    );
    const long = site({ api: ["a"] }, ["a-rather-long-name-b"], "a-rather-long-name-a");
    expect(await sentence({ ...long, functions: { apiOfAll: ["a"] } })).toContain(
      "the function shiplog-a-rather-long-name-a-a-rather-long-name-b-server-apiOfAll has 65 characters, and Lambda takes 64",
    );
    expect(await sentence(long)).toBe("taken");
  });
});

describe("the infrastructure", () => {
  it("refuses to go on without the sites file: it would remove what it does not find", async () => {
    await rm(sitesFile);
    await expect(forInfrastructure()).rejects.toThrow(
      `there is no ${sitesFile}: declare the sites there, or deploy the engine without any: SHIPLOG_SITES=none`,
    );
  });

  it("takes a site whose app is elsewhere, and says that nobody knows of its buildspec.yml", async () => {
    const site = { source: "elsewhere", environments: [{ name: "live" }] };
    const told = { ...site, name: "told", build: { commands: ["make"] } };
    await writeFile(sitesFile, JSON.stringify({ sites: [{ ...site, name: "web" }, told, { ...site, name: "here", source: "app" }] }));
    const { declaredSites } = (await forInfrastructure()) as { declaredSites: { name: string; ownBuildspec: unknown }[] };
    expect(declaredSites.map(({ name, ownBuildspec }) => [name, ownBuildspec])).toEqual([
      ["web", "unknown"],
      ["told", false],
      ["here", false],
    ]);
  });
});

describe("for how long pages reach the release that they came from", () => {
  const hoursOf = async (more: object): Promise<number | string | undefined> => {
    await writeFile(sitesFile, JSON.stringify({ sites: [{ name: "web", source: "app", environments: [{ name: "live" }], ...more }] }));
    const said = await refusal();
    return said === "taken" ? (await readSites({ sitesFile }))[0]?.skewHours : said;
  };

  it("is a day, or as many hours as its site says", async () => {
    expect(await hoursOf({})).toBe(24);
    expect(await hoursOf({ skewHours: 0 })).toBe(0);
    expect(await hoursOf({ skewHours: 720 })).toBe(720);
  });

  it.each([-1, 721, 0.5, "24"])("is refused as %j", async (skewHours) => {
    expect(await hoursOf({ skewHours })).toContain("skewHours");
  });
});

describe("a site's size", () => {
  const sentence = async (more: object): Promise<string> => {
    await writeFile(sitesFile, JSON.stringify({ sites: [{ name: "web", source: "app", environments: [{ name: "live" }], ...more }] }));
    return refusal();
  };

  it("is refused where CloudFront would wait no longer, and a right or a key where AWS would take none", async () => {
    expect(await sentence({ sizes: { server: { timeoutSeconds: 60 } } })).toBe("taken");
    expect(await sentence({ sizes: { server: { timeoutSeconds: 61 } } })).toContain("must be 60 at most where answers are not streamed");
    expect(await sentence({ sizes: { server: { timeoutSeconds: 900 } }, streaming: true })).toBe("taken");
    expect(await sentence({ sizes: { image: { timeoutSeconds: 61 } }, streaming: true })).toContain("must be 60 at most");
    const may = (resource: string, action = "s3:GetObject") => ({ permissions: [{ actions: [action], resources: [resource] }] });
    expect(await sentence(may("arn:{partition}:s3:::x/*"))).toBe("taken");
    expect(await sentence(may("arn:aws:s3:::x/{typo}"))).toContain("may leave {partition}, {region} and {account} open, and nothing else");
    expect(await sentence(may("x"))).toContain("must be an ARN");
    expect(await sentence(may("*", "GetObject"))).toContain("must be an action as IAM names it");
    expect(await sentence({ environments: [{ name: "live", originKeys: [1, 1] }] })).toContain("a key is named twice");
    expect(await sentence({ environments: [{ name: "live", originKeys: [3, 2, 1] }] })).toContain("must be one, or two");
  });
});

describe("a site's variable", () => {
  const variables = (...names: string[]) =>
    Site.safeParse({ name: "web", source: "app", environments: [{ name: "live" }], variables: names }).success;

  it("may have no name that the engine gives to builds or functions", () => {
    const place = { bucket: "static", region: "eu-west-1", set: "0123456789abcdef" };
    const site = {
      site: "web",
      environment: "live",
      revalidationQueueUrl: "https://queue",
      originKeys: ["key"],
      sizes: {},
      variables: [],
    } as unknown as Parameters<typeof settingsOf>[2];
    const given = (["server", "image", "revalidation"] as const).flatMap((role) =>
      Object.keys(settingsOf(role, "index.handler", site, place, { values: {}, version: "1" }).settings.variables),
    );
    expect(given).toContain("CACHE_BUCKET_NAME");
    for (const one of [...given, "DEPLOYMENT_ID", "BUILD_ID", "NEXT_DEPLOYMENT_ID", "NEXT_ADAPTER_PATH", "PATH", "_HANDLER"])
      expect([one, variables(one)]).toEqual([one, false]);
    expect(variables("API_URL", "CACHE_URL")).toBe(true);
    // Lambda refuses them, and only when the first release is published
    for (const one of ["_X", "A", "1A", "A-B"]) expect([one, variables(one)]).toEqual([one, false]);
    expect(variables("API_URL", "API_URL")).toBe(false);
  });
});

it("a sites file may begin with a byte order mark", async () => {
  await declare({ web: ["live"] }, "\uFEFF");
  expect(await refusal()).toBe("taken");
});
