import { join } from "node:path";
import { slug } from "github-slugger";
import { defineConfig } from "vitepress";
import { pageOf, ROOT_PAGES, siteLink } from "./links.ts";
import { sidebar } from "./sidebar.ts";

const root = join(import.meta.dirname, "../..");

/**
 * The documents as a site: `npm run docs:build`. They stay Markdown that is right on GitHub: links are those of the
 * repository, headings have GitHub's anchors. A link that leads nowhere fails the build. Nothing is loaded from elsewhere.
 * DOCS_SOURCE is the address that files of the repository have for readers (https://github.com/owner/name/blob/main).
 */
export default defineConfig({
  title: "Shiplog",
  description: "An event-sourced deployment engine for Next.js on your own AWS account",
  srcDir: root,
  // of the repository only the documents
  srcExclude: ["!(docs)/**/*", "docs/.vitepress/**", "!(README|CHANGELOG|CONTRIBUTING|SECURITY).md"],
  rewrites: (page) => (ROOT_PAGES.includes(page) || page.startsWith("docs/") ? pageOf(page) : page),
  outDir: join(root, "dist-docs"),
  cacheDir: join(root, "node_modules/.cache/vitepress"),
  cleanUrls: false,
  ignoreDeadLinks: false,
  metaChunk: true,
  markdown: {
    anchor: { slugify: slug },
    headers: { slugify: slug },
    config: (markdown) => {
      markdown.core.ruler.push("repository-links", ({ tokens, env }) => {
        const document = (env.realPath ?? env.path ?? "").slice(root.length + 1);
        for (const { children } of tokens) {
          let words = 0;
          for (const token of children ?? []) {
            if (token.type === "link_close" && words > 0) {
              words -= 1;
              token.tag = "span";
            }
            if (token.type !== "link_open") continue;
            const link = siteLink(root, document, decodeURI(token.attrGet("href") ?? ""), process.env.DOCS_SOURCE);
            if (link !== "words") token.attrSet("href", link.href);
            else {
              words += 1;
              Object.assign(token, { type: "words_open", tag: "span", attrs: [] });
            }
          }
        }
      });
    },
  },
  vite: { publicDir: false },
  themeConfig: {
    nav: [
      { text: "Start", link: "/start" },
      { text: "Concepts", link: "/concepts" },
      { text: "Reference", link: "/reference/" },
      { text: "Troubleshooting", link: "/troubleshooting" },
    ],
    sidebar: sidebar(root),
    outline: [2, 3],
    search: { provider: "local" },
  },
});
