import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SitesRefused } from "../../blueprint/sites-file.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { readSites } from "../../local/sites.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { startWorld, type World } from "../support/world.ts";

describe("two sites with two environments each", () => {
  const places = [
    ["web", "production"],
    ["web", "staging"],
    ["shop", "production"],
    ["shop", "staging"],
  ] as const;
  let world: World;
  beforeAll(async () => {
    const environments = [{ name: "production" }, { name: "staging" }];
    world = await startWorld({ environments: ["production", "staging"], sites: [{ name: "shop", environments }] });
  });
  afterAll(() => world.close());

  it("do not touch each other", async () => {
    const first = await world.live("production");
    const [second, third] = await Promise.all([world.live("staging", {}, "shop"), world.live("production")]);
    const live = async () =>
      Object.fromEntries(
        await Promise.all(
          places.map(async ([site, environment]) => {
            const { live, sequence } = await world.api.environment(site, environment);
            return [`${site}/${environment}`, [live?.deploymentId, sequence]] as const;
          }),
        ),
      );
    expect(await live()).toEqual({
      "web/production": [third, 2],
      "web/staging": [undefined, 0],
      "shop/production": [undefined, 0],
      "shop/staging": [second, 1],
    });
    for (const [site, environment] of places) {
      const answer = await fetch(`${world.urlOf(environment, site)}/ssr`);
      const expected = (await world.api.environment(site, environment)).live?.deploymentId ?? null;
      expect([site, environment, answer.headers.get("x-shiplog-deployment")]).toEqual([site, environment, expected]);
    }

    // each place has what its own releases left, and nothing of another's
    const left: Record<string, string[]> = {};
    for (const [site, environment] of places) {
      const { Contents = [] } = await world.aws.clients.s3.send(
        new ListObjectsV2Command({ Bucket: BUCKETS.static, Prefix: `${site}/${environment}/` }),
      );
      const keys = Contents.map(({ Key }) => Key).join("\n");
      left[`${site}/${environment}`] = [first, second, third].filter((id) => keys.includes(id));
    }
    expect(left).toEqual({ "web/production": [first, third], "web/staging": [], "shop/production": [], "shop/staging": [second] });
    const elsewhere = await world.api.post("environments/web/staging/rollback", { to: first });
    expect(elsewhere.body.error.code).toBe("release.never-live");
    await world.api.change("web", "production", "pin", { reason: "only here" });
    expect((await world.api.environment("shop", "production")).pin).toBeNull();
  });

  it("share no function, no URL and no secret", async () => {
    const names = places.flatMap(([site, environment]) => Object.values(world.resources(environment, site).functions));
    expect(new Set(names).size).toBe(12);
    expect(new Set(places.map(([site, environment]) => world.urlOf(environment, site))).size).toBe(4);
    const keys = await Promise.all(
      places.map(async ([site, environment]) => {
        const SecretId = world.resources(environment, site).secret;
        const { SecretString = "{}" } = await world.aws.clients.secrets.send(new GetSecretValueCommand({ SecretId }));
        return (JSON.parse(SecretString) as Record<string, string>).NEXT_SERVER_ACTIONS_ENCRYPTION_KEY;
      }),
    );
    expect(new Set(keys).size).toBe(4);
    for (const key of keys) expect(Buffer.from(key ?? "", "base64")).toHaveLength(32);
  });
});

describe("a sites file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shiplog-sites-"));
    await writeFixtureApp(join(folder, "app"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const good = { name: "web", source: "app", environments: [{ name: "production" }] };
  const read = async (content: unknown) => {
    const sitesFile = join(folder, "sites.json");
    await writeFile(sitesFile, typeof content === "string" ? content : JSON.stringify(content));
    return readSites({ sitesFile });
  };

  it("is taken with its defaults", async () => {
    expect(await read({ sites: [good] })).toMatchObject([
      { name: "web", folder: join(folder, "app"), checkPath: "/", variables: [], buildTimeoutMinutes: 20 },
    ]);
  });

  it.each([
    ["that is not JSON", "{", /is not JSON/],
    ["without sites", {}, /→ at sites$/m],
    ["with no site in it", { sites: [] }, /→ at sites$/m],
    ["with a name that cannot be one", { sites: [{ ...good, name: "Web Shop" }] }, /must be 1-20 characters.*\n.*→ at sites\[0\]\.name/],
    ["with a site twice", { sites: [good, good] }, /a site is named twice/],
    [
      "with an environment twice",
      { sites: [{ ...good, environments: [{ name: "a" }, { name: "a" }] }] },
      /an environment is named twice\n.*sites\[0\]\.environments/,
    ],
    ["without environments", { sites: [{ ...good, environments: [] }] }, /→ at sites\[0\]\.environments/],
    [
      "with a reserved variable",
      { sites: [{ ...good, variables: ["AWS_REGION"] }] },
      /must not begin with AWS_.*\n.*sites\[0\]\.variables\[0\]/,
    ],
    [
      "with the value of a variable",
      { sites: [{ ...good, variables: ["KEY=secret"] }] },
      /must be the name of an environment variable as Lambda takes it.*\n.*sites\[0\]\.variables\[0\]/,
    ],
    ["with a field that does not exist", { sites: [{ ...good, buildTimeout: 3 }] }, /Unrecognized key: "buildTimeout"/],
    ["with a time limit that no build can have", { sites: [{ ...good, buildTimeoutMinutes: 1 }] }, /sites\[0\]\.buildTimeoutMinutes/],
    [
      "with a folder that is no app",
      { sites: [{ ...good, source: "elsewhere" }] },
      /the site "web" has its source in .*elsewhere, which has no package\.json/,
    ],
  ])("%s is refused, naming the field", async (_, content, sentence) => {
    const refusal = await read(content).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SitesRefused);
    expect((refusal as Error).message).toMatch(sentence);
  });

  it("that is missing is asked for", async () => {
    await expect(readSites({ sitesFile: join(folder, "none.json") })).rejects.toThrow(/none\.json: name an app with --app DIR/);
  });
});
