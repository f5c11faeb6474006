import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startDevelopment } from "../../local/development.ts";

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
  const dev = await startDevelopment({ dataDir: join(folder, "data"), sitesFile: join(folder, "shiplog.sites.json"), variables, log });
  await dev.close();
  return lines.filter((line) => line.includes("no value for"));
};

it("a variable that has no value is named at the start, until it was given one", async () => {
  const without = (names: string) => expect.stringContaining(`web/production: no value for ${names}: `);
  expect(await said({})).toEqual([without("API_URL, API_KEY")]);
  expect(await said({ API_URL: "https://api.example.com" })).toEqual([without("API_KEY")]);
  expect(await said({ API_KEY: "" })).toEqual([]); // given on purpose; the other is kept from before
});
