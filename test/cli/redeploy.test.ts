import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, it } from "vitest";
import { firstDeploy } from "../../cli/redeploy.ts";

const root = mkdtempSync(join(tmpdir(), "shiplog-redeploy-"));
afterAll(() => rmSync(root, { recursive: true }));
for (const name of ["web", "docs", "it's"]) mkdirSync(join(root, name));
const at = (name: string) => relative(process.cwd(), join(root, name));
const source = (site: string, name = site) => ({ site, folder: join(root, name) });
const place = (site: string, environment = "production") => ({ site, environment });

it.each([
  ["one site by its folder alone", [place("web")], [source("web")], `shiplog deploy ${at("web")}`],
  ["one of whose environments is production", [place("web", "staging"), place("web")], [source("web")], `shiplog deploy ${at("web")}`],
  [
    "one of several environments by its name, where none is production",
    [place("web", "a"), place("web", "b")],
    [source("web")],
    `shiplog deploy ${at("web")} --site web --env a`,
  ],
  [
    "one of two sites of a folder by its name",
    [place("web"), place("shop")],
    [source("web"), source("shop", "web")],
    `shiplog deploy ${at("web")} --site web --env production`,
  ],
  [
    "the first of several, and the others' folders",
    [place("web"), place("docs"), place("shop")],
    [source("web"), source("docs"), source("shop", "it's")],
    `shiplog deploy ${at("web")}  (or ${at("docs")}, '${at("it's").replace("'", "'\\''")}')`,
  ],
  ["a folder that is gone by a word", [place("gone")], [source("gone")], "shiplog deploy <dir>"],
])("a local engine says how to deploy %s", (_what, places, sources, command) => {
  expect(firstDeploy(places, sources, undefined)).toBe(command);
});

it("a local engine says with which data folder, where it was given one", () => {
  expect(firstDeploy([place("web")], [source("web")], "my data")).toBe(`shiplog deploy ${at("web")} --data 'my data'`);
});
