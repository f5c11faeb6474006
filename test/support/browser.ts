import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";

type Installed = { readonly executablePath: string; readonly env: Record<string, string> };

/** A real browser for tests; `undefined` where none is installed: skip then, visibly. */
export async function startBrowser(args: readonly string[] = []): Promise<Browser | undefined> {
  const installed = await chromiumHere();
  const playwright = await import("playwright-core").catch(() => undefined);
  if (installed === undefined || playwright === undefined) return undefined;
  const env = { ...(process.env as Record<string, string>), ...installed.env };
  // no sandbox: tests run as root in containers. Nothing that guards one site from another is switched off.
  return playwright.chromium.launch({
    executablePath: installed.executablePath,
    env,
    args: ["--no-sandbox", "--no-zygote", "--in-process-gpu", "--disable-dev-shm-usage", ...args],
  });
}

/** The system's Chromium, else the one of `@sparticuz/chromium`, unpacked once into `node_modules/.cache`. */
async function chromiumHere(): Promise<Installed | undefined> {
  const system = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
  if (system !== undefined) return { executablePath: system, env: {} };
  const folder = packageFolder();
  if (folder === undefined) return undefined;
  const cache = join(folder, "../../.cache/shiplog-chromium");
  if (!existsSync(cache)) await unpack(cache);
  // its own configuration looks for the fonts in /tmp; where none is found, text has no size
  const fonts = join(cache, "fonts.conf");
  await writeFile(
    fonts,
    `<fontconfig><dir>${join(cache, "fonts/fonts")}</dir><cachedir>${join(cache, "fonts-cache")}</cachedir></fontconfig>`,
  );
  return { executablePath: join(cache, "chromium"), env: { LD_LIBRARY_PATH: join(cache, "al2023/lib"), FONTCONFIG_FILE: fonts } };
}

const packageFolder = (): string | undefined => {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "..");
  } catch {
    return undefined;
  }
};

/** Renamed when it is whole: two tests at once, or one that is killed, leave no half. */
async function unpack(cache: string): Promise<void> {
  await mkdir(dirname(cache), { recursive: true });
  const folder = await mkdtemp(join(dirname(cache), "chromium-"));
  const before = { ...process.env };
  // it unpacks into the temporary folder, and its own libraries only where it believes itself to be on Lambda
  Object.assign(process.env, { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: "nodejs22.x", AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" });
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    await packed.executablePath();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
  await rename(folder, cache).catch(() => rm(folder, { recursive: true, force: true }));
}
