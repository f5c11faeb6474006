import { globSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandsOf, exampleLines, shown } from "../../cli/examples.ts";
import { exitCodes } from "../../cli/exit-codes.ts";
import { ENDING_SIGNALS, exit } from "../../cli/failure.ts";
import { buildProgram } from "../../cli/program.ts";
import { refusals } from "../../client/refusals.ts";
import { environmentVariables, internalVariables } from "../../scripts/docs/environment-variables.ts";
import { pages, REFERENCE } from "../../scripts/docs/pages.ts";
import { commandsInShell, refusalOf, wordsOf } from "../support/command-lines.ts";
import { environmentReads } from "../support/environment-reads.ts";

const root = new URL("../../", import.meta.url).pathname;
const folder = `${root}${REFERENCE}/`;
const program = buildProgram(() => () => Promise.resolve());

describe("the reference", () => {
  it.each(Object.entries(pages))("is what the code says; else run `npm run docs:reference`: %s", (file, page) => {
    expect(readFileSync(folder + file, "utf8")).toBe(page());
  });

  it("has no page that says to be written and is not", () => {
    const written = readdirSync(folder).filter((file) =>
      readFileSync(folder + file, "utf8").includes("Written by `npm run docs:reference`"),
    );
    expect(written.sort()).toEqual(Object.keys(pages).sort());
  });
});

describe("the examples of commands", () => {
  const commands = commandsOf(program).map(([words]) => words);

  it("are there for every command, and for no other", () => {
    expect(commands.length).toBeGreaterThan(35);
    expect(Object.keys(shown).sort()).toEqual(commands.sort());
    expect(Object.values(shown).filter(({ examples }) => examples.length === 0)).toEqual([]);
  });

  it.each(Object.entries(shown))("are understood, and of the command: %s", async (words, told) => {
    for (const line of exampleLines(told)) {
      const [typed = ""] = commandsInShell(line);
      expect(typed).toMatch(new RegExp(`^${words}( |$)`));
      expect([line, await refusalOf(wordsOf(typed))]).toEqual([line, undefined]);
    }
  });

  it("stand in the help", () => {
    let help = "";
    for (const command of program.commands.filter((one) => one.name() === "deploy"))
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toContain("Examples:\n  shiplog deploy my-app\n");
  });
});

it("every exit code is explained, once, and stands in the help", () => {
  let help = "";
  buildProgram(() => () => Promise.resolve())
    .configureOutput({ writeOut: (text) => (help += text) })
    .outputHelp();
  expect([...help.matchAll(/^ {2}(\d+) +(\S.*)$/gm)].map(([, code, brief]) => [Number(code), brief])).toEqual(
    exitCodes.map(({ code, brief }) => [code, brief]),
  );
  expect(exitCodes.map(({ code }) => code).sort()).toEqual([...new Set([...Object.values(exit), ...Object.values(ENDING_SIGNALS)])].sort());
});

describe("the environment variables", () => {
  /** What is run in functions and builds, or told of their environment: nobody sets anything for it by hand. */
  const ELSEWHERE = [
    "local/lambda/bootstrap.mjs",
    "engine/open-next/guard.ts",
    "engine/open-next/inspect.ts",
    "blueprint/build-commands.ts",
  ];
  const sources = globSync(["{cli,client,domain,engine,services,operator,blueprint,infra,local}/**/*.{ts,mjs}", "sst.config.ts"], {
    cwd: root,
  }).filter((file) => !ELSEWHERE.includes(file));

  it("are those that the source reads, and no others", () => {
    const read = sources.flatMap((file) => environmentReads(readFileSync(root + file, "utf8")));
    const known = [...environmentVariables.map(({ name }) => name), ...Object.keys(internalVariables)];
    expect(new Set(known).size).toBe(known.length);
    expect([...new Set(read)].sort()).toEqual(known.sort());
  });

  it("would be found however they are read", () => {
    const source = `process.env.ONE; const { TWO: two = "", THREE } = process.env; environment.FOUR || env["FIVE"];
      function f({ SIX, SEVEN: x }: Readonly<Record<string, string | undefined>>) {}`;
    expect(environmentReads(source).sort()).toEqual(["FIVE", "FOUR", "ONE", "SEVEN", "SIX", "THREE", "TWO"]);
  });
});

it("the codes that the API refuses with are those of the code, and no others", () => {
  /** Refusals of commands that the engine alone gives. */
  const enginesOwn = ["build.other", "build.unfinished", "deployment.unchecked", "webhook.absent"];
  const files = globSync(["domain/**/*.ts", "services/api/**/*.ts", "engine/**/*.ts", "local/api-server.ts"], { cwd: root });
  const source = files.map((file) => readFileSync(root + file, "utf8")).join("\n");
  const form = /(?:refuse\(|refused\(|Problem\(\s*\d+,|code:|refused:|(?:Broken|SealBroken) \?)\s*"([a-z-]+\.[a-z-]+|fault)"/g;
  const given = [...source.matchAll(form)].map(([, one = ""]) => one).filter((one) => !enginesOwn.includes(one));
  const codes = refusals.map(({ code }) => code);
  // `check` of services/api/problem.ts makes them of the part of the request that it checked
  expect(codes.sort()).toEqual([...new Set([...given, "body.invalid", "query.invalid"])].sort());
  expect(new Set(codes).size).toBe(codes.length);
});
