import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandsInShell, refusalOf, wordsOf } from "../support/command-lines.ts";

const root = new URL("../../", import.meta.url).pathname;
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...globSync(["docs/**/*.md", "scripts/*.md"], { cwd: root })].filter(
  (file) => !file.startsWith("docs/adr/"),
);

/** Every command of Shiplog in the blocks of shell of a document. */
const commandsIn = (document: string): string[] =>
  [...document.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => commandsInShell(block));

describe("the commands in the documents", () => {
  const documented = DOCUMENTS.flatMap((file) => commandsIn(readFileSync(root + file, "utf8")).map((line) => [file, line] as const));

  it("were found", () => {
    expect(documented.length).toBeGreaterThan(30);
  });

  it.each(documented)("are ones that Shiplog knows: %s: %s", async (_, line) => {
    expect(await refusalOf(wordsOf(line))).toBeUndefined();
  });

  it.each([
    ["rollback web/production --dry-run", "unknown option '--dry-run'"],
    ["rolback", "unknown command 'rolback'"],
    ["up", "required option '--stage <stage>' not specified"],
  ])("would be found out: %s", async (line, said) => {
    expect(await refusalOf(wordsOf(line))).toContain(said);
  });
});
