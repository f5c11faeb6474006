import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBrowser } from "../support/browser.ts";
import { until } from "../support/until.ts";
import { startWorld } from "../support/world.ts";

/**
 * `npm run dashboard:shots [-- folder]`: every screen of the dashboard in both schemes and at three widths, of an engine
 * that runs here with a small past.
 */
const folder = process.argv[2] ?? "dashboard-shots";
const browser = await startBrowser();
if (browser === undefined) throw new Error("There is no Chromium here: install it, or run npm ci.");
const world = await startWorld({ environments: ["production", "staging"] });
try {
  await world.live("production");
  const second = await world.live("production");
  await world.api.rollback("web", "production");
  await world.live("staging");
  await world.dev.engine.queues.send(
    "notify",
    JSON.stringify({ detail: { stream: "environment/web/production", id: "e", type: "FlipHeld" } }),
  );
  const letter = await until("a dead letter", async () => (await world.api.get("dead-letters")).body.letters[0]?.messageId);
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
    rollback: "/environments/web/staging/lock",
    deployments: "/deployments",
    deployment: `/deployments/${second}`,
    log: "/log",
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
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      }
    }
  console.log(`Written to ${folder}.`);
} finally {
  await browser.close();
  await world.close();
}

async function made(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}
