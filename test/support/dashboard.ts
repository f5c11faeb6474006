import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import type { World } from "./world.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** In the page: whether something makes it wider than the window. */
export const WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
/** Text that would run, hide something or break a line where it is not taken for text. */
export const HOSTILE = `<img src=x onerror="document.title='owned'">\u202egnp.exe \u001b[31m${"x".repeat(400)}`;

export type DashboardRoom = Awaited<ReturnType<typeof openDashboardRoom>>;

/** The dashboard of a world, as somebody who signed in sees it: by requests, and by a browser's page. */
export async function openDashboardRoom({ dev }: Pick<World, "dev">, token = dev.token) {
  const at = (path: string): string => `${dev.apiUrl}${path}`;
  const form = (path: string, headers: Record<string, string>, fields: Record<string, string>): Promise<Response> =>
    fetch(at(path), { method: "POST", headers, body: new URLSearchParams(fields), redirect: "manual" });
  const own = { origin: dev.apiUrl, "sec-fetch-site": "same-origin" };
  const signedIn = await form("/signin", own, { token, name: "ann" });
  const cookie = signedIn.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");

  return {
    at,
    form,
    /** the cookies of who signed in */
    cookie,
    /** headers of a form that the page itself sends */
    same: { ...own, cookie },
    /** a page of it, as text */
    read: async (path: string): Promise<{ status: number; text: string }> => {
      const answer = await fetch(at(path), { headers: { cookie }, redirect: "manual" });
      return { status: answer.status, text: await answer.text() };
    },
    signIn: async (page: Page): Promise<void> => {
      await page.goto(at("/signin"));
      await page.getByLabel("Your name").fill("ann");
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Environments" }).waitFor();
    },
    /** What axe finds on these paths in both schemes at 360 and 1280 px, and where something is wider than the window. */
    faults: async (page: Page, paths: readonly string[]): Promise<string[]> => {
      const faults: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        for (const width of [360, 1_280]) {
          await page.setViewportSize({ width, height: 900 });
          for (const path of paths) {
            await page.goto(at(path));
            const found = await faultsOf(page);
            faults.push(...found.map((fault) => `${path} at ${width}, ${colorScheme}: ${fault}`));
          }
        }
      }
      return faults;
    },
  };
}

const faultsOf = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  });
  return (await page.evaluate(WIDER)) ? [...found, "it is wider than the window"] : found;
};
