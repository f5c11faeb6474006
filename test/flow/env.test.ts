import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../cli/support/run-cli.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

/** The values of a variable from its first to its last, through a whole engine: each test goes on where the one before ended. */
const FIRST = "https://first.example.com/canary-1";
const SECOND = "https://second.example.com/canary-2";
let world: World;
let first: string;
beforeAll(async () => {
  world = await startWorld({
    environments: ["production", "preview"],
    site: { variables: ["API_URL", "LATER"] },
    variables: { LATER: "l" },
  });
});
afterAll(() => world.close());

const shiplog = async (words: string, input?: string) => {
  const env = { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token };
  const { code, out, err } = await runCli(words.split(" "), { env, cwd: world.folder, ...(input !== undefined && { input }) });
  return { code, out, err };
};
const at = "--site web --env production";
const ls = async () => {
  const { variables } = JSON.parse((await shiplog(`env ls ${at} --json`)).out);
  return variables.find(({ name }: { name: string }) => name === "API_URL");
};
const status = async () => (await shiplog("status web/production")).out;
/** Deploys the app, whose server says what it is given, and what its build was. */
const deploy = async (): Promise<string> => {
  const dir = await world.app();
  const change = async (file: string, from: string, to: string) => {
    const text = await readFile(join(dir, file), "utf8");
    expect(text).toContain(from);
    await writeFile(join(dir, file), text.replaceAll(from, to));
  };
  await change("template.json", "{ ...answer, release,", "{ ...answer, seen: process.env.API_URL, inlined: 'INLINED', release,");
  await change("make-output.mjs", ", id);\nfor", ', id).replaceAll("INLINED", process.env.API_URL);\nfor');
  return (await world.reached(await world.deployFolder("production", dir), "success")).id;
};
const served = async () => (await (await fetch(`${world.urlOf("production")}/api/hello`)).json()) as { seen: string; inlined: string };

it("a value that is set reaches the next build and its servers, and has changed nothing since", async () => {
  expect(await shiplog(`env set API_URL ${at}`, FIRST)).toMatchObject({ code: 0, out: "API_URL is set in web/production.\n" });
  expect(await ls()).toMatchObject({ by: expect.stringContaining("alice"), changed: null });
  first = await deploy();
  expect(await served()).toMatchObject({ seen: FIRST, inlined: FIRST });
  expect(await ls()).toMatchObject({ changed: false });
  expect(await status()).not.toContain("changed since");
  const { variables } = await world.api.deployment(first);
  expect(variables.published).toMatchObject({ API_URL: (await ls()).fingerprint });
  expect(Object.keys(variables.built ?? variables.published ?? {}).sort()).toEqual([
    "API_URL",
    "LATER",
    "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY",
  ]);
  expect((await shiplog("why web/production")).out).toMatch(/published .* with API_URL, LATER, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY/);
});

it("another value has changed since the live release, which goes on with its own until the next deployment", async () => {
  await shiplog(`env set API_URL ${at}`, SECOND);
  expect(await ls()).toMatchObject({ changed: true });
  expect(await status()).toContain(
    "changed since the live release: API_URL; to take effect:  shiplog deploy <dir> --site web --env production",
  );
  expect(await served()).toMatchObject({ seen: FIRST });
  await deploy();
  expect(await served()).toMatchObject({ seen: SECOND, inlined: SECOND });
  expect([(await ls()).changed, (await status()).includes("changed since")]).toEqual([false, false]);
});

it("a rollback brings the value back that the older release was given, and status says that it is not the present one", async () => {
  await world.api.rollback("web", "production", first);
  await until("it to be live", async () => (await world.api.environment("web", "production")).live?.deploymentId === first);
  expect(await served()).toMatchObject({ seen: FIRST, inlined: FIRST });
  expect(await status()).toContain("changed since the live release: API_URL");
});

it("values come back as a file of one's own, of this environment alone, with a record of it", async () => {
  expect((await shiplog(`env pull ${at}`)).out).toBe("2 values of web/production in .env.local, which only you may read.\n");
  expect(await readFile(join(world.folder, ".env.local"), "utf8")).toBe(`API_URL='${SECOND}'\nLATER='l'\n`);
  expect((await stat(join(world.folder, ".env.local"))).mode & 0o777).toBe(0o600);
  expect((await world.eventsOf("production", "VariablesRead")).map(({ body }) => body)).toEqual([{ names: ["API_URL", "LATER"] }]);
  expect(await world.eventsOf("preview")).toEqual([]);
  expect((await shiplog("audit --type VariablesRead")).out).toMatch(/alice .*"values of API_URL, LATER"/);
  expect((await shiplog("audit --type VariableSet")).out).toMatch(/variable: API_URL without a value → API_URL [0-9a-f]{8}\n/);
});

it("without its value a deployment ends before its build, and says how to give it one", async () => {
  expect((await shiplog(`env rm LATER --yes ${at}`)).code).toBe(0);
  const { reason } = await world.reached(await world.deploy("production"), "failed");
  expect(reason).toBe(
    "LATER has no value, which builds of web/production are given. Give one to each, then retry: shiplog env set LATER --site web --env production",
  );
});
