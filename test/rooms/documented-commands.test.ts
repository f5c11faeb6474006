import { globSync, readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../cli/program.ts";

const root = new URL("../../", import.meta.url).pathname;
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...globSync(["docs/**/*.md", "scripts/*.md"], { cwd: root })].filter(
  (file) => !file.startsWith("docs/adr/"),
);

/** Every command of Shiplog in the blocks of shell of a document, as one line of words. */
const commandsIn = (document: string): string[] =>
  [...document.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block = ""]) => block.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/&&|\|\||[|;]/))
    .flatMap((part) => /^\s*(?:\w+=\S* )*(?:npx |node_modules\/\.bin\/)?shiplog (.*)$/.exec(part)?.[1] ?? []);

/** As a shell does it, as far as documents need it. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'<>]+|[<>]+\s*\S+/g)]
    .map(([word]) => word)
    .filter((word) => !/^[<>]/.test(word))
    .map((word) => word.replace(/^["']|["']$/g, ""));

/** What the command says of them; `undefined` where it would begin. Nothing is begun. */
const refusalOf = async (words: readonly string[]): Promise<string | undefined> => {
  const program = buildProgram(() => () => Promise.resolve());
  const quiet = { writeOut: () => undefined, writeErr: () => undefined };
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])])
    command.exitOverride().configureOutput(quiet);
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    return (error as Error).message;
  }
  return undefined;
};

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
