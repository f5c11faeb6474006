import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refusals } from "../../client/refusals.ts";
import { Step } from "../../domain/deployment/shapes.ts";

const root = new URL("../../", import.meta.url).pathname;
const page = readFileSync(`${root}docs/troubleshooting.md`, "utf8");
const sourceOf = (pattern: string): string =>
  globSync(pattern, { cwd: root })
    .sort()
    .map((file) => readFileSync(root + file, "utf8"))
    .join("\n");
const cli = sourceOf("cli/**/*.ts");

/** From a heading of the second level to the next. */
const sectionOf = (title: string): string => page.slice(page.indexOf(`\n## ${title}\n`) + 1).split(/\n(?=## )/)[0] ?? "";
const entries = [...page.matchAll(/^### `([^`]+)`$/gm)].map(([, code = ""]) => code);
/** The first cell of each row of its tables. */
const rowsOf = (section: string): string[] => [...section.matchAll(/^\| ([^|]*?`[^|]*?) \|/gm)].map(([, first = ""]) => first);

/** Codes that the command ends with: what stands between `new CliError(` and its message. */
const codesOfCommand = (): string[] => [
  ...[...cli.matchAll(/new CliError\(([^`]*?)(?=`|"[A-Z]|\bsentence\(|\bmessage\b)/g)].flatMap(([, before = ""]) =>
    [...before.matchAll(/"([a-z][a-z.-]*)"/g)].map(([, code = ""]) => code),
  ),
  "system.…",
];
const codesOfCheck = (): string[] =>
  [...cli.matchAll(/(?:errorAt|warningAt|unchecked)\)?\(\s*"([a-z-]+\.[a-z-]+)"/g)].map(([, code = ""]) => code);

describe("troubleshooting", () => {
  it("has an entry for every code of the API, of the command and of check, and for no other", () => {
    const steps = Step.options;
    const codes = [...refusals.map(({ code }) => code), ...codesOfCommand(), ...codesOfCheck(), ...steps];
    expect(codesOfCommand().length).toBeGreaterThan(30);
    expect(codesOfCheck().length).toBeGreaterThan(25);
    expect(entries.toSorted()).toEqual([...new Set(codes)].sort());
  });

  it("tells of every kind of error that a build is found to have", () => {
    const [, union = ""] = /export type BuildErrorKind =([\s\S]*?);/.exec(sourceOf("domain/build-error/signs.ts")) ?? [];
    const kinds = [...union.matchAll(/"(\w+)"/g)].map(([, kind = ""]) => kind);
    expect(kinds.length).toBeGreaterThan(10);
    const told = rowsOf(page.slice(page.indexOf("\n### `build`\n")).split(/\n(?=### `publish`)/)[0] ?? "").map((row) =>
      row.replaceAll("`", ""),
    );
    expect(told.sort()).toEqual(kinds.sort());
  });

  it("tells of everything that the doctor looks at", () => {
    const source = `${sourceOf("operator/doctor/*.ts")}\n${sourceOf("cli/examination.ts")}`;
    const forms = [
      /\b(?:what = |ok\(|missing\(|wrong\(|there\()\s*["`]([A-Za-z][A-Za-z ]*?)(?=["`]| \$\{)/g,
      /\[\s*["`]([A-Za-z][A-Za-z ]*?)(?=["`]| \$\{)[^\]]*?["`], \(\) =>/g,
    ];
    const looked = new Set(forms.flatMap((form) => [...source.matchAll(form)].map(([, what = ""]) => what.trim())));
    expect(looked.size).toBeGreaterThan(20);
    const told = rowsOf(sectionOf("What `shiplog doctor` finds")).join(" ");
    const missing = [...looked].filter((what) => !new RegExp(`\`${what}( of)?( on)?( …)?\``).test(told));
    expect(missing).toEqual([]);
  });

  it("has the messages as they are: every part of one stands in the source", () => {
    const source = sourceOf("{cli,client,domain,engine,services,operator,blueprint,local}/**/*.{ts,mjs}").replace(/\\(["'`])/g, "$1");
    const first = [...page.matchAll(/^### .*\n\n((?:`[^`\n]+`(?:, |; |\. | |$))+)/gm)].map(([, said = ""]) => said);
    const rows = ["A command stops", "A deployment fails", "What `shiplog doctor` finds"].flatMap((title) =>
      [...sectionOf(title).matchAll(/^\|(.*?)\|[^|\n]*\|$/gm)].map(([, cells = ""]) => cells),
    );
    const messages = [...first, ...rows].flatMap((text) => [...text.matchAll(/`([^`\n]+ [^`\n]+)`/g)].map(([, message = ""]) => message));
    expect(messages.length).toBeGreaterThan(120);
    const parts = messages.flatMap((message) => message.split("…").map((part) => part.trim()));
    const COMMANDER = ["unknown option", "unknown command"];
    expect(
      parts.filter((part) => part.length > 5 && !COMMANDER.includes(part) && !part.startsWith("shiplog ") && !source.includes(part)),
    ).toEqual([]);
  });
});
