/**
 * Packs the data folder that a release leaves behind: `node test/golden/record-data.ts 0.2.0`, once, before that release.
 * One that is there is never written again: later releases must open what earlier ones left.
 *
 * In it: three deployments (the second failed to build), a rollback that pins, a webhook endpoint that was tried out, a seal.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDevelopment } from "../../local/development.ts";
import { apiClient } from "../support/api-client.ts";
import { type FixtureApp, writeFixtureApp } from "../support/fixture-app.ts";
import { until } from "../support/until.ts";

const [release] = process.argv.slice(2);
if (release === undefined || !/^\d+\.\d+\.\d+$/.test(release)) throw new Error("Give the release: node test/golden/record-data.ts 0.2.0");
const target = fileURLToPath(new URL(`./data/${release}.tgz`, import.meta.url));
if (existsSync(target)) throw new Error(`${release} has its data folder already; it is kept as it is`);

const folder = await mkdtemp(join(tmpdir(), "shiplog-golden-"));
const dataDir = join(folder, "data");
const receiver = createServer((request, response) => request.resume().on("end", () => response.end("ok")));
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
await writeFixtureApp(join(folder, "app"));
await writeFile(
  join(folder, "sites.json"),
  JSON.stringify({ sites: [{ name: "web", source: "app", environments: [{ name: "production" }] }] }),
);
const dev = await startDevelopment({
  dataDir,
  sitesFile: join(folder, "sites.json"),
  variables: {},
  reconcileEveryMs: 3_600_000,
  allowLoopbackWebhooks: true,
  log: (line) => console.error(line),
});
const api = apiClient(dev.apiUrl, dev.token);

const deployed = async (change: FixtureApp, status: string): Promise<string> => {
  const app = await mkdtemp(join(folder, "app-"));
  await writeFixtureApp(app, change);
  const { id } = await api.deploy("web", "production", await api.upload("web", app));
  await until(`${id} to be ${status}`, async () => ((await api.deployment(id)).status === status ? true : undefined));
  return id;
};

const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
const { webhook } = (await api.post("webhooks", { kind: "standard", url: hook })).body as { webhook: { id: string } };
const first = await deployed({}, "success");
await deployed({ failsWith: "no such page" }, "failed");
await deployed({}, "success");
const { sequence } = await api.rollback("web", "production", first);
await until("the rollback", async () => ((await api.environment("web", "production")).live?.sequence === sequence ? true : undefined));
await api.post(`webhooks/${webhook.id}/test`);
await until("every delivery", async () => {
  const { deliveries } = (await api.get(`webhooks/${webhook.id}/deliveries`)).body as { deliveries: { status: string }[] };
  return deliveries.length > 10 && deliveries.every(({ status }) => status === "delivered") ? true : undefined;
});
// what a seal takes must be a minute old
await new Promise((resolve) => setTimeout(resolve, 62_000));
await api.post("seals");
await dev.close();
receiver.close();

await mkdir(dirname(target), { recursive: true });
execFileSync("tar", ["-czf", target, "-C", dataDir, "."]);
await rm(folder, { recursive: true, force: true });
console.log(target);
process.exit(0);
