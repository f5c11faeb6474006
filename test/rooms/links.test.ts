import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { anchorsIn, faultOf, linksIn } from "../support/markdown-links.ts";

const root = new URL("../../", import.meta.url).pathname;
const documents = globSync(["*.md", "{docs,action,examples,scripts}/**/*.md"], {
  cwd: root,
  exclude: (path) => path.endsWith("node_modules") || path.endsWith(".vitepress"),
}).sort();

describe("the links of the documents", () => {
  it("were found", () => {
    expect(documents).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "SECURITY.md", "docs/start.md"]));
    expect(documents.flatMap((file) => linksIn(readFileSync(root + file, "utf8"))).length).toBeGreaterThan(150);
  });

  it.each(documents)("lead to files and headings that are there: %s", (document) => {
    const faults = linksIn(readFileSync(root + document, "utf8")).flatMap(({ line, target }) => {
      const fault = faultOf(root, document, target);
      return fault === undefined ? [] : [`${document}:${line} ${target}: ${fault}`];
    });
    expect(faults).toEqual([]);
  });

  it.each([
    ["docs/gone.md", "there is no such file"],
    ["docs/start.md#2-start-the-engin", "there is no such heading"],
    ["#nothing-is-called-so", "there is no such heading"],
    ["../elsewhere.md", "leads out of the repository"],
    ["/docs/start.md", "leads out of the repository"],
  ])("would be found out: %s", (target, fault) => {
    expect(faultOf(root, "README.md", target)).toBe(fault);
  });

  it("are read as GitHub reads them", () => {
    const text = ["[a](x.md)", "`[b](y.md)`", "```md", "[c](z.md)", "```", '![d](p.png "words") [`e`](q.md#r)', "[f]: s.md"].join("\n");
    expect(linksIn(text).map(({ line, target }) => [line, target])).toEqual([
      [1, "x.md"],
      [6, "p.png"],
      [6, "q.md#r"],
      [7, "s.md"],
    ]);
    expect([...anchorsIn("# A `b` & [c](d.md)?\n## Twice\n## Twice\n```sh\n# no heading\n```\n")]).toEqual(["a-b--c", "twice", "twice-1"]);
  });
});
