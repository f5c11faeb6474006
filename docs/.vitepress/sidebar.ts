import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pageOf } from "./links.ts";

type Item = { readonly text: string; readonly link: string };

/** The first heading of a document, as text. */
const titleOf = (root: string, document: string): string =>
  /^# (.+)$/m.exec(readFileSync(join(root, document), "utf8"))?.[1]?.replaceAll("`", "") ?? document;

/** Groups of the sidebar whose pages are named; every page of the folders `guides`, `reference` and `adr` stands in theirs by itself. */
const NAMED: readonly (readonly [title: string, documents: readonly string[]])[] = [
  ["Start", ["docs/start.md", "docs/compare.md", "docs/features.md"]],
  ["Concepts", ["docs/concepts.md", "docs/architecture.md"]],
  [
    "Guides",
    ["docs/guides/*.md", "docs/sites-file.md", "docs/github.md", "docs/aws.md", "docs/dora.md", "docs/people.md", "docs/extend.md"],
  ],
  ["Reference", ["docs/reference/index.md", "docs/reference/!(index).md", "docs/listeners.md"]],
  ["Troubleshooting", ["docs/troubleshooting.md"]],
  ["How it is proven", ["docs/proofs.md", "docs/simulation.md", "docs/bench.md"]],
  ["Design records", ["docs/adr/[0-9]*.md"]],
  ["Project", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]],
];

/** Pages that no group has: they are in the sidebar too, so that none is ever lost. */
const REST = "More";

/** The sidebar, of the documents that are there. */
export const sidebar = (root: string): { text: string; collapsed: boolean; items: Item[] }[] => {
  const found = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();
  const groups = NAMED.map(([text, patterns]) => [text, patterns.flatMap(found)] as const);
  const taken = new Set([...groups.flatMap(([, documents]) => documents), "docs/index.md", "docs/adr/index.md"]);
  const rest = found("docs/**/*.md").filter((document) => !taken.has(document));
  return [...groups, [REST, rest] as const]
    .filter(([, documents]) => documents.length > 0)
    .map(([text, documents]) => ({
      text,
      collapsed: text === "Design records",
      items: documents.map((document) => ({ text: titleOf(root, document), link: `/${pageOf(document)}` })),
    }));
};
