import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBrowser } from "../support/browser.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { until } from "../support/until.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { startWorld } from "../support/world.ts";

/**
 * `npm run dashboard:shots [-- folder]`: every screen of the dashboard in both schemes and at three widths, of an engine
 * that runs here with a small past.
 */
const folder = process.argv[2] ?? "dashboard-shots";
const browser = await startBrowser();
if (browser === undefined) throw new Error("There is no Chromium here: install it, or run npm ci.");
const receiver = await startReceiver();
const world = await startWorld({ environments: ["production", "staging"], allowLoopbackWebhooks: true });
let commits = 0;
const deploy = async (environment: string, message: string, change: FixtureApp = {}): Promise<string> => {
  commits += 1;
  const commit = {
    sha: createHash("sha1").update(message).digest("hex"),
    message,
    author: "Ann Ito",
    branch: "main",
    dirty: false,
    committedAt: new Date(Date.now() - 3_600_000 * commits).toISOString(),
  };
  const source = await world.api.upload("web", await world.app(change));
  return (await world.api.deploy("web", environment, source, { commit })).id;
};
try {
  await world.api.send("POST", "webhooks", { kind: "standard", url: receiver.url("hook") });
  const first = await deploy("production", "Sell shirts in three sizes");
  await world.reached(first, "success");
  const second = await deploy("production", "Show prices with VAT");
  await world.reached(second, "success");
  await world.api.rollback("web", "production", first, { reason: "500s on checkout" });
  await world.reached(await deploy("staging", "Show prices with VAT"), "success");
  const broken = await deploy("staging", "Let shirts have colours", {
    failsWith: "Type error: Property 'color' does not exist on type 'Shirt'.",
  });
  await world.reached(broken, "failed");
  await world.dev.engine.queues.send(
    "notify",
    JSON.stringify({ detail: { stream: "environment/web/production", id: "e", type: "FlipHeld" } }),
  );
  await until("the rollback", async () => (await world.api.environment("web", "production")).live?.deploymentId === first);
  const letter = await until("a dead letter", async () => (await world.api.get("dead-letters")).body.letters[0]?.messageId);
  const [webhook] = (await world.api.get("webhooks")).body.webhooks as { id: string }[];
  const page = await browser.newPage();
  const url = world.dev.apiUrl;
  await page.goto(`${url}/signin`);
  await page.screenshot({ path: join(await made(folder), "sign-in.png") });
  await page.getByLabel("Your name").fill("ann");
  await page.getByLabel("Token").fill(world.dev.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Environments" }).waitFor();
  const screens = {
    overview: "/",
    environment: "/environments/web/production",
    rollback: "/environments/web/production/rollback",
    lock: "/environments/web/staging/lock",
    deployments: "/deployments",
    deployment: `/deployments/${second}`,
    failed: `/deployments/${broken}`,
    compare: `/compare?from=${first}&to=${second}`,
    log: "/log",
    audit: "/audit",
    webhooks: "/webhooks",
    webhook: `/webhooks/${webhook?.id}`,
    health: "/health",
    dora: "/dora",
    sessions: "/sessions",
    quarantine: "/quarantine",
    letter: `/quarantine/${letter}`,
    drop: `/quarantine/${letter}/drop`,
    past: `/?at=${new Date().toISOString()}`,
  };
  for (const colorScheme of ["light", "dark"] as const)
    for (const width of [360, 1_280, 1_920]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      for (const [name, path] of Object.entries(screens)) {
        await page.goto(url + path);
        if ((await page.locator("main[data-live]").count()) > 0) await page.locator("#alive", { hasText: /^live/ }).waitFor();
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      }
    }
  console.log(`Written to ${folder}.`);
} finally {
  await browser.close();
  await world.close();
  await receiver.close();
}

async function made(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}
