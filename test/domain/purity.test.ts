import { globSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url).pathname;

/** Words that are not the domain's: waiting, time, chance, the platform, catching, AWS. Comments may use them. */
const WORDS = new Set(["await", "async", "Date", "process", "try", "catch", "Promise", "setTimeout", "globalThis", "crypto"]);
const AWS = /lambda|s3|dynamodb|codebuild|cloudfront|sqs/i;

/** Every token of a source that the domain may not have, with its line. Tokens, so that comments and parts of words don't count. */
const impurities = (source: string): string[] => {
  const file = ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    const children = node.getChildren(file);
    for (const child of children) look(child);
    if (children.length > 0) return;
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return;
    const text = node.getText(file);
    const chance = text === "random" && node.parent.getText(file) === "Math.random";
    if (WORDS.has(text) || chance || AWS.test(text))
      found.push(`${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}: ${text}`);
  };
  look(file);
  return found;
};

describe("the domain", () => {
  const files = globSync("domain/**/*.ts", { cwd: root });

  it.each(files)("has no clock, no chance, no waiting and no platform in %s", (path) => {
    expect(impurities(readFileSync(root + path, "utf8"))).toEqual([]);
  });
  it("was looked at", () => {
    expect(files).toContain("domain/environment/decider.ts");
  });
});

describe("the look at the domain", () => {
  it.each([
    ["export const f = async () => {};", "1: async"],
    ["\nexport const g = await 1;", "2: await"],
    ["const now = new Date();", "1: Date"],
    ["const now = Date.now();", "1: Date"],
    ["const dice = Math.random();", "1: random"],
    ["const home = process.env.HOME;", "1: process"],
    ["try { f(); } finally { g(); }", "1: try"],
    ["const functionName = lambdaName;", "1: lambdaName"],
    ['const kind = "AWS::DynamoDB::Table";', '1: "AWS::DynamoDB::Table"'],
    ["const text = `sqs`;", "1: `sqs`"],
  ])("finds %j", (source, finding) => {
    expect(impurities(source)).toContain(finding);
  });
  it.each([
    "// await the Lambda",
    "/** Date of a try */ const a = 1;",
    "const retry = 1; const at = z.iso.datetime();",
    'const trigger = "retry";',
  ])("lets %j be", (source) => {
    expect(impurities(source)).toEqual([]);
  });
});
