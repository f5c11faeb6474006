import { globSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url).pathname;

/** Where the machine's own time and chance come in, and where real sockets and files are at work: everywhere else they are arguments. */
const DOORS = [
  /^engine\/aws\//,
  /^engine\/kit\/clock\.ts$/,
  /^engine\/kit\/chance\.ts$/,
  // the time limit of a request over a real socket
  /^engine\/webhooks\/post\.ts$/,
  /^engine\/oidc\/ask-issuer\.ts$/,
  // the name of a file that nobody else sees
  /^engine\/zip\/archive-zip\.ts$/,
  // a turn of the event loop between two reads of a file
  /^engine\/zip\/file-reader\.ts$/,
];
const NAMES = new Set(["setTimeout", "setInterval", "setImmediate", "performance", "hrtime", "ulid", "nanoid"]);
const CHANCE = new Set(["randomUUID", "randomBytes", "randomInt", "randomFillSync", "getRandomValues"]);
const MEMBERS = new Set(["Date.now", "Math.random", "AbortSignal.timeout"]);

/** Every reading of a clock, rolling of a die and setting of a timer in a source, with its line. */
const found = (source: string): string[] => {
  const file = ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest, true);
  const list: string[] = [];
  const note = (node: ts.Node, what: string) => list.push(`${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}: ${what}`);
  const look = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && (NAMES.has(node.text) || CHANCE.has(node.text))) note(node, node.text);
    if (ts.isPropertyAccessExpression(node) && MEMBERS.has(node.getText(file))) note(node, node.getText(file));
    if (ts.isNewExpression(node) && node.expression.getText(file) === "Date" && (node.arguments?.length ?? 0) === 0)
      note(node, "new Date()");
    if (ts.isStringLiteral(node) && /^(node:)?timers/.test(node.text)) note(node, node.text);
    ts.forEachChild(node, look);
  };
  look(file);
  return list;
};

describe("the services", () => {
  const files = globSync("{engine,services}/**/*.ts", { cwd: root }).filter((path) => !DOORS.some((door) => door.test(path)));

  it.each(files)("get time and chance as arguments in %s", (path) => {
    expect(found(readFileSync(root + path, "utf8"))).toEqual([]);
  });
  it("were looked at", () => {
    expect(files).toContain("services/flip-alias/flip-alias.ts");
  });
});

describe("the look at the services", () => {
  it.each([
    ["const now = Date.now();", "1: Date.now"],
    ["\nconst now = new Date();", "2: new Date()"],
    ["const dice = Math.random();", "1: Math.random"],
    ["setTimeout(go, 5);", "1: setTimeout"],
    ['import { setTimeout as sleep } from "node:timers/promises";', "1: node:timers/promises"],
    ["const id = crypto.randomUUID();", "1: randomUUID"],
    ["const over = AbortSignal.timeout(5);", "1: AbortSignal.timeout"],
    ["const began = performance.now();", "1: performance"],
  ])("finds %j", (source, finding) => {
    expect(found(source)).toContain(finding);
  });
  it.each(["const at = new Date(clock.now());", "// Date.now()", "clock.random()"])("lets %j be", (source) => {
    expect(found(source)).toEqual([]);
  });
});
