import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startDevelopment } from "../../local/development.ts";
import { apiClient } from "../support/api-client.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { until } from "../support/until.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "variables-"));
  await mkdir(join(folder, "app"));
  await writeFile(join(folder, "app/package.json"), "{}");
  const site = { name: "web", source: "app", environments: [{ name: "production" }], variables: ["API_URL", "API_KEY"] };
  await writeFile(join(folder, "shiplog.sites.json"), JSON.stringify({ sites: [site] }));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a start with these values says of variables. */
const said = async (variables: Record<string, string>): Promise<string[]> => {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const dev = await startDevelopment({
    tableDelayMs: 0,
    dataDir: join(folder, "data"),
    sitesFile: join(folder, "shiplog.sites.json"),
    variables,
    log,
  });
  await dev.close();
  return lines.filter((line) => line.includes("no value for"));
};

it("a variable that has no value is named at the start, until it was given one", async () => {
  const without = (names: string) => expect.stringContaining(`web/production: no value for ${names}: `);
  expect(await said({})).toEqual([without("API_URL, API_KEY")]);
  expect(await said({ API_URL: "https://api.example.com" })).toEqual([without("API_KEY")]);
  expect(await said({ API_KEY: "" })).toEqual([]); // given on purpose; the other is kept from before
});

it("a variable whose value is missing from the secret fails a deployment before its build starts, which says how to give one", async () => {
  await writeFixtureApp(join(folder, "app"));
  const options = {
    dataDir: join(folder, "data"),
    sitesFile: join(folder, "shiplog.sites.json"),
    variables: { API_URL: "u", API_KEY: "k" },
  };
  const dev = await startDevelopment({ tableDelayMs: 0, ...options, log: () => {} });
  try {
    const { secrets, codeBuild } = dev.aws.clients;
    const SecretId = "shiplog/web/production";
    const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    const { API_KEY: _, ...others } = JSON.parse(SecretString);
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(others) }));
    const api = apiClient(dev.apiUrl, dev.token);
    const { id } = await api.deploy("web", "production", await api.upload("web", join(folder, "app")));
    const { reason } = await until("it to fail", async () => {
      const view = await api.deployment(id);
      return view.status === "failed" ? view : undefined;
    });
    expect(reason).toBe(
      "API_KEY has no value, which builds of web/production are given. Give one to each, then retry: shiplog env set API_KEY --site web --env production",
    );
    expect((await codeBuild.send(new ListBuildsForProjectCommand({ projectName: "shiplog-web-production" }))).ids ?? []).toEqual([]);
  } finally {
    await dev.close();
  }
});

it("what shiplog env set stays over a restart, whatever the next start gives; a file gives the others, and the one for an environment counts", async () => {
  const lines: string[] = [];
  const start = (variables: Record<string, string>, envFiles: { place: string | null; values: Record<string, string> }[] = []) =>
    startDevelopment({
      tableDelayMs: 0,
      dataDir: join(folder, "data"),
      sitesFile: join(folder, "shiplog.sites.json"),
      variables,
      envFiles,
      log: (line) => void lines.push(line),
    });
  const values = async (dev: Awaited<ReturnType<typeof start>>) => (await dev.engine.secrets.read("shiplog/web/production")).values;
  const before = await start({ API_URL: "of the start", API_KEY: "of the start" });
  const put = await apiClient(before.apiUrl, before.token).send("PUT", "environments/web/production/variables", {
    values: { API_URL: "set" },
  });
  expect(put.status).toBe(200);
  await before.close();

  const file = { place: null, values: { API_URL: "of the file", API_KEY: "of the file", UNDECLARED: "u" } };
  const after = await start({ API_KEY: "of the start again" }, [{ place: "web/production", values: { API_KEY: "of its own file" } }, file]);
  expect(await values(after)).toMatchObject({ API_URL: "set", API_KEY: "of its own file" });
  expect(await values(after)).not.toHaveProperty("UNDECLARED");
  expect(lines.filter((line) => line.includes("stays"))).toEqual([
    expect.stringContaining("web/production: API_URL: the value that `shiplog env` set stays"),
  ]);
  const removed = await apiClient(after.apiUrl, after.token).send("DELETE", "environments/web/production/variables/API_URL");
  expect(removed.status).toBe(200);
  await after.close();

  const last = await start({}, [file]);
  expect(await values(last)).toMatchObject({ API_URL: "of the file", API_KEY: "of the file" });
  await last.close();
  await expect(start({}, [{ place: "web/staging", values: {} }])).rejects.toThrow(
    "--env-file is for web/staging, which is not declared: known are web/production",
  );
});
