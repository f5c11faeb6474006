import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteLink } from "../../docs/.vitepress/links.ts";
import { sidebar } from "../../docs/.vitepress/sidebar.ts";

const root = join(import.meta.dirname, "../..");

describe("the site of the documents", () => {
  let site = "";
  beforeAll(async () => {
    site = mkdtempSync(join(tmpdir(), "shiplog-docs-"));
    await promisify(execFile)(join(root, "node_modules/.bin/vitepress"), ["build", "docs", "--outDir", site], { cwd: root });
  });
  afterAll(() => rmSync(site, { recursive: true, force: true }));

  const pages = (): string[] => globSync("**/*.html", { cwd: site });
  const html = (page: string): string => readFileSync(join(site, page), "utf8");

  it("has every document", () => {
    const documents = globSync("docs/**/*.md", { cwd: root }).map((file) => relative("docs", file).replace(/\.md$/, ".html"));
    expect(documents.length).toBeGreaterThan(50);
    expect(pages()).toEqual(expect.arrayContaining([...documents, "project/readme.html", "project/changelog.html"]));
  });

  it("has no link that leads nowhere, nor to a heading that is not there", () => {
    const dead = pages().flatMap((page) =>
      [...html(page).matchAll(/<a\b[^>]*\shref="([^"]+)"/g)].flatMap(([, href = ""]) => {
        if (/^[a-z]+:/.test(href) || page === "404.html") return [];
        const [path = "", anchor] = decodeURI(href).split("#");
        const target = path === "" ? page : join(path.startsWith("/") ? "." : dirname(page), path.replace(/\/$/, "/index.html"));
        if (!existsSync(join(site, target))) return [`${page}: ${href}`];
        return anchor === undefined || html(target).includes(`id="${anchor}"`) ? [] : [`${page}: ${href}`];
      }),
    );
    expect(dead).toEqual([]);
  });

  it("loads nothing from elsewhere", () => {
    const loaded = pages().flatMap((page) =>
      [...html(page).matchAll(/<(?:script|link|img|iframe)\b[^>]*\s(?:src|href)="([^"]+)"/g)].map(([, one = ""]) => one),
    );
    expect(loaded.length).toBeGreaterThan(100);
    expect(loaded.filter((one) => /^([a-z]+:)?\/\//.test(one))).toEqual([]);
    const styles = globSync("**/*.css", { cwd: site }).map((file) => readFileSync(join(site, file), "utf8"));
    expect(styles.join("").match(/url\(["']?(?:https?:)?\/\/[^)]*/g) ?? []).toEqual([]);
  });
});

describe("the links of the site", () => {
  it.each([
    ["docs/start.md", "guides/rollback.md#x", undefined, { href: "/guides/rollback.md#x" }],
    ["docs/aws.md", "../README.md#see-it-work", undefined, { href: "/project/readme.md#see-it-work" }],
    ["README.md", "docs/adr", undefined, { href: "/adr/0001-what-the-deployment-adds-to-its-events.md" }],
    ["README.md", "https://example.com", undefined, { href: "https://example.com" }],
    ["README.md", "LICENSE", undefined, "words"],
    ["README.md", "examples/next-app", "https://example.com/blob/main/", { href: "https://example.com/blob/main/examples/next-app" }],
  ])("of %s: %s", (document, href, source, link) => {
    expect(siteLink(root, document, href, source)).toEqual(link);
  });

  it("that lead nowhere end the build", () => {
    expect(() => siteLink(root, "docs/start.md", "gone.md", undefined)).toThrow("docs/start.md: gone.md leads nowhere");
  });
});

it("every document stands in the sidebar, once", () => {
  const links = sidebar(root).flatMap(({ items }) => items.map(({ link }) => link));
  const documents = globSync("docs/**/*.md", { cwd: root, exclude: ["docs/index.md"] });
  expect(links.filter((link) => !link.startsWith("/project/")).sort()).toEqual(
    documents.map((file) => `/${relative("docs", file)}`).sort(),
  );
});
