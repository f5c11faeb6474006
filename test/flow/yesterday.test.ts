import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Development, startDevelopment } from "../../local/development.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { apiClient } from "../support/api-client.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { until } from "../support/until.ts";

const goldens = join(import.meta.dirname, "../golden/data");
const releases = (await readdir(goldens)).map((file) => file.replace(/\.tgz$/, ""));

/** Data folders as releases left them, with what `test/golden/record-data.ts` did in them. A test that fails here means that somebody's cannot be opened any more. */
describe.each(releases)("the data folder that %s left", (release) => {
  let folder: string;
  let dataDir: string;
  let dev: Development;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shiplog-yesterday-"));
    dataDir = join(folder, "data");
    await mkdir(dataDir, { mode: 0o700 });
    execFileSync("tar", ["-xzf", join(goldens, `${release}.tgz`), "-C", dataDir]);
    await writeFixtureApp(join(folder, "app"));
    const sites = [{ name: "web", source: "app", environments: [{ name: "production" }] }];
    await writeFile(join(folder, "sites.json"), JSON.stringify({ sites }));
    dev = await startDevelopment({
      tableDelayMs: 0,
      dataDir,
      sitesFile: join(folder, "sites.json"),
      variables: {},
      log: (line) => console.error(line),
    });
  });
  afterAll(async () => {
    await dev?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shiplog = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await runCli([...words, "--data", dataDir]);
    expect(err === "" || code === 0 ? code : `${code}: ${err}`).toBe(0);
    return out;
  };
  const api = () => apiClient(dev.apiUrl, dev.token);
  const live = () => api().environment("web", "production");

  it("opens, and every command reads it as it was", async () => {
    // an edge of that time had no table: the engine makes its row, by a flip of what is live, within the hour
    const how = expect.stringMatching(/^(?:rollback|restore)$/);
    expect(await live()).toMatchObject({ live: { reason: how }, pin: { actor: expect.any(String) } });
    const [hook] = ((await api().get("webhooks")).body as { webhooks: { id: string }[] }).webhooks;
    const [failed] = ((await api().get("deployments?status=failed")).body as { deployments: { id: string }[] }).deployments;
    const shown: [words: string[], text: string][] = [
      [["list", "--status", "success"], "success"],
      [["status", "web/production"], "pinned"],
      [["why", "web/production"], "checked"],
      [["events", "--since", "2026-11-01"], "ReleaseWentLive"],
      [["audit", "--since", "2026-11-01"], "EnvironmentPinned"],
      [["webhooks", "deliveries", hook?.id ?? ""], "delivered"],
      [["inspect", failed?.id ?? ""], "build"],
      [["logs", failed?.id ?? ""], "no such page"],
    ];
    await Promise.all(shown.map(async ([words, text]) => expect(await shiplog(...words)).toContain(text)));
    expect(await (await fetch(dev.sites[0]?.url ?? "")).text()).toContain((await live()).live?.deploymentId ?? "nothing");
  });

  it("has a log that verifies, with its seals and its rows", async () => {
    const out = join(folder, "export");
    await shiplog("audit", "export", "--out", out);
    expect(await shiplog("audit", "verify", out)).toMatch(/verif|intact|sound/i);
    await shiplog("replay", "all", "--verify");
    await shiplog("replay", "all");
    await shiplog("replay", "all", "--verify");
  });

  it("goes on: a deployment, and a way back to what an engine of that time published", async () => {
    const { live: before } = await live();
    await shiplog("unpin", "web/production");
    const app = join(folder, "app");
    await shiplog("deploy", app, "--site", "web", "--env", "production");
    expect((await live()).live?.deploymentId).not.toBe(before?.deploymentId);
    await api().rollback("web", "production", before?.deploymentId);
    await until("the rollback", async () => (await live()).live?.deploymentId === before?.deploymentId);
    expect(await (await fetch(dev.sites[0]?.url ?? "")).text()).toContain(before?.deploymentId ?? "nothing");
  });
});
