import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifestKey } from "../../engine/open-next/manifest.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, HOSTILE, openDashboardRoom } from "../support/dashboard.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();
const SECRET = "https://secret-value.example.com";

let world: World;
let here: DashboardRoom;
let one: string;
let two: string;
let preview: string;
let docs: string;
let failed: string;
beforeAll(async () => {
  world = await startWorld({
    environments: ["production", "preview"],
    site: { variables: ["API_URL", "KEPT"] },
    variables: { API_URL: SECRET, KEPT: "the same" },
    sites: [{ name: "docs", environments: [{ name: "production" }] }],
  });
  here = await openDashboardRoom(world);
  one = await live("production", { sha: "1".repeat(40), message: "The first", author: "Ada" });
  await world.api.send("PUT", "environments/web/production/variables", { values: { API_URL: `${SECRET}/v2` } });
  failed = (
    await deploy("production", { sha: "2".repeat(40), message: `${HOSTILE}\nmore`, author: "Ben" }, await world.app({ failsWith: "no" }))
  ).id;
  await world.reached(failed, "failed");
  two = await live("production", { sha: "3".repeat(40), message: "The third", author: "Cleo" }, await withOtherFiles());
  preview = await live("preview", { sha: "3".repeat(40), message: "The third", author: "Cleo" });
  docs = await world.live("production", {}, "docs");
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

type Commit = { readonly sha: string; readonly message: string; readonly author: string };
const deploy = async (environment: string, commit: Commit, folder?: string): Promise<{ id: string }> => {
  const source = await world.api.upload("web", folder ?? (await world.app()));
  const { status, body, text } = await world.api.post("deployments", { site: "web", environment, source, commit });
  if (status !== 202) throw new Error(text);
  return body.deployment;
};
const live = async (environment: string, commit: Commit, folder?: string): Promise<string> =>
  (await world.reached((await deploy(environment, commit, folder)).id, "success")).id;
/** An app of which one public file is another, one is new and one is gone. */
const withOtherFiles = async (): Promise<string> => {
  const folder = await world.app();
  const {
    "assets/docs/guide.txt": _,
    "assets/docs/read me [1].txt": __,
    ...files
  } = JSON.parse(await readFile(join(folder, "template.json"), "utf8"));
  const changed = { ...files, "assets/docs/guide.txt": "Another guide.\n", "assets/docs/new.txt": "New.\n" };
  await writeFile(join(folder, "template.json"), JSON.stringify(changed));
  return folder;
};
const compared = async (from: string, to: string) => (await world.api.get(`deployments/${from}/compare/${to}`)).body.comparison;

describe("the API", () => {
  it("tells what is different between two releases, of functions as Lambda has them", async () => {
    const found = await compared(one, two);
    expect(found).toMatchObject({
      from: { deploymentId: one, sequence: 1, live: [{ how: "deploy" }], isRelease: true },
      to: { deploymentId: two, sequence: 3, live: [{ how: "deploy", until: null }] },
      newer: "to",
      isWhole: true,
    });
    expect(found.from.live[0].until).toBe(found.to.live[0].since);
    expect(found.commits.map(({ sequence }: { sequence: number }) => sequence)).toEqual([3, 2]);
    const server = found.functions.find(({ role }: { role: string }) => role === "server");
    expect(server.code).toBe("changed");
    expect(server.to.facts).toMatchObject({
      memoryMb: 1_024,
      architecture: expect.stringMatching(/arm64|x86_64/),
      runtime: expect.stringContaining("nodejs"),
    });
    expect(server.to.facts.bytes).toBeGreaterThan(100);
  });

  it("has variables by name and never a value, and public files by path", async () => {
    const found = await compared(one, two);
    expect(found.variables).toEqual([
      { name: "API_URL", build: "changed", functions: "changed" },
      { name: "KEPT", build: "same", functions: "same" },
      { name: "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY", build: "same", functions: "same" },
    ]);
    expect(JSON.stringify(found)).not.toContain("secret-value");
    expect(found.publicFiles).toMatchObject({
      added: { count: 1, paths: ["docs/new.txt"] },
      removed: { count: 1, paths: ["docs/read me [1].txt"] },
      changed: { count: 2, paths: ["docs/guide.txt", "release.txt"] },
    });
  });

  it("compares environments of one site, and refuses releases of two", async () => {
    const found = await compared(two, preview);
    expect([found.newer, found.commits]).toEqual([null, null]);
    expect(found.variables[0]).toEqual({ name: "API_URL", build: "unknown", functions: "unknown" });
    const { status, body } = await world.api.get(`deployments/${one}/compare/${docs}`);
    expect([status, body.error]).toEqual([
      409,
      { code: "compare.sites", message: `${one} is of web and ${docs} of docs: only releases of one site can be compared.` },
    ]);
  });

  it("takes the beginning of an id, and says of one that there is not that there is none", async () => {
    expect((await compared(one.replace("dep_", ""), two)).from.deploymentId).toBe(one);
    expect((await world.api.get(`deployments/${one}/compare/dep_00000000000000000000000000`)).status).toBe(404);
  });

  it("compares what never became a release by what the log has of it", async () => {
    expect(await compared(failed, two)).toMatchObject({
      functions: null,
      publicFiles: null,
      from: { isRelease: false, live: [], files: null },
    });
  });

  it("compares the rest where the list of files is gone", async () => {
    const Key = manifestKey(world.resources("preview").releases, preview);
    await world.aws.clients.s3.send(new DeleteObjectCommand({ Bucket: localNames.buckets.static, Key }));
    const found = await compared(two, preview);
    expect([found.publicFiles, found.from.files.uploaded > 0, found.functions.length > 0]).toEqual([null, true, true]);
  });
});

describe("the command", () => {
  const shiplog = (...words: string[]) => runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });

  it("shows both releases and what is different, and no value", async () => {
    const { code, out } = await shiplog("compare", one, two);
    expect(code).toBe(0);
    for (const line of [
      /^from +dep_\w+ +web\/production #1 +success +1111111 The first/m,
      /API_URL +changed +changed/,
      /#3 +3333333 The third +Cleo/,
      /added +docs\/new\.txt/,
    ])
      expect(out).toMatch(line);
    expect(out).not.toContain("secret-value");
    expect(JSON.parse((await shiplog("compare", one, two, "--json")).out).comparison).toEqual(await compared(one, two));
  });

  it("says why two sites are not compared", async () => {
    const { code, err } = await shiplog("compare", one, docs);
    expect([code, err]).toEqual([6, expect.stringContaining("only releases of one site can be compared")]);
  });
});

describe("the page", () => {
  it("shows hostile text as text, and no value", async () => {
    const { status, text } = await here.read(`/compare?from=${one}&to=${two}`);
    expect(status).toBe(200);
    expect(text).not.toContain("secret-value");
    expect(text).not.toContain("<img");
    expect(text).toContain("&lt;img");
  });

  it("asks for both where one is missing, and says what the API refuses", async () => {
    expect((await here.read(`/compare?from=${one}`)).text).toContain('name="to"');
    const { status, text } = await here.read(`/compare?from=${one}&to=${docs}`);
    expect([status, text.includes("only releases of one site can be compared")]).toEqual([409, true]);
  });

  it("says that environments have no order, and that lists are gone", async () => {
    const { text } = await here.read(`/compare?from=${two}&to=${preview}`);
    expect(text).toContain("their deployments have no common order");
    expect(text).toContain("Values of two environments cannot be held against each other");
    expect(text).toContain("What the log has of all files");
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });
  const isAt = (from: string, to: string): void => expect(new URL(page.url()).search).toBe(`?from=${from}&to=${to}`);

  it("is reached from a deployment, from the list of what was live and from a rollback before it is confirmed", async () => {
    await page.goto(here.at(`/deployments/${one}`));
    await page.getByRole("link", { name: "Compare with what is live" }).click();
    isAt(two, one);
    expect(await page.getByText("what going there takes back").count()).toBe(1);
    await page.goto(here.at(`/deployments/${two}`));
    expect(await page.getByRole("link", { name: "Compare with what is live" }).count()).toBe(0);
    await page.getByRole("link", { name: "Compare with the one before" }).click();
    isAt(one, two);
    await page.goto(here.at("/environments/web/production"));
    await page.getByRole("link", { name: "With what was live before" }).click();
    isAt(one, two);
    await page.goto(here.at("/environments/web/production/rollback"));
    await page.getByRole("link", { name: "Compare the two" }).click();
    isAt(two, one);
    await page.getByRole("link", { name: "The other way round" }).click();
    isAt(one, two);
  });

  it("has a table of commits, of functions and of variables, and the files behind their number", async () => {
    await page.goto(here.at(`/compare?from=${one}&to=${two}`));
    expect(await page.getByRole("row", { name: /server changed/ }).count()).toBe(1);
    expect(await page.getByRole("row", { name: /API_URL changed changed/ }).count()).toBe(1);
    expect(await page.getByRole("table", { name: "2 deployments" }).getByText("The third").count()).toBe(1);
    await page.getByText("1 added").click();
    await page.getByText("docs/new.txt").waitFor();
    expect(await page.locator("code.cli").innerText()).toBe(`shiplog compare ${one} ${two}`);
  });

  it("axe finds nothing, in light and dark, and nothing is wider than a telephone", async () => {
    const paths = [`/compare?from=${one}&to=${two}`, `/compare?from=${two}&to=${preview}`, `/compare?from=${failed}&to=${two}`, "/compare"];
    expect(await here.faults(page, paths)).toEqual([]);
  });
});
