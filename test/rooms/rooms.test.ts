import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const shared = ["kit", "store", "aws", "bus"];
const verbs = readdirSync(join(root, "services")).filter((folder) => !shared.includes(folder));

/** What one file imports, and the rule that it breaks by it; `null` where it may. Each line is a file of its own in one house. */
const lines: [rule: string | null, from: string, to: string][] = [
  [null, "domain/kernel", "zod"],
  [null, "domain/deployment", "domain/kernel/there.ts"],
  [null, "services/kit", "domain/kernel/there.ts"],
  [null, "services/advance", "services/kit/there.ts"],
  [null, "services/advance", "infra/there.ts"],
  [null, "local", "services/kit/there.ts"],
  [null, "local", "infra/there.ts"],
  [null, "cli", "services/api/contract.ts"],
  [null, "cli", "services/kit/archive-zip.ts"],
  [null, "cli", "domain/projections/views.ts"],
  ["domain-is-pure", "domain/kernel", "services/kit/there.ts"],
  ["domain-is-pure", "domain/kernel", "infra/there.ts"],
  ["domain-is-pure", "domain/kernel", "hono"],
  ["domain-is-pure", "domain/kernel", "node:crypto"],
  ["shared-rooms-know-no-verb", "services/kit", "services/relay/there.ts"],
  ["shared-rooms-know-no-verb", "services/store", "services/relay/there.ts"],
  ["services-know-no-surroundings", "services/kit", "local/there.ts"],
  ["services-know-no-surroundings", "services/relay", "cli/there.ts"],
  ["infra-stands-alone", "infra", "domain/kernel/there.ts"],
  ["infra-stands-alone", "infra", "services/kit/there.ts"],
  ["infra-stands-alone", "infra", "local/there.ts"],
  ["infra-stands-alone", "infra", "cli/there.ts"],
  ["the-cli-talks-to-the-api", "cli", "services/store/there.ts"],
  ["the-cli-talks-to-the-api", "cli", "services/api/app.ts"],
  ["the-cli-decides-nothing", "cli", "domain/deployment/decider.ts"],
  ["nobody-imports-tests", "local", "test/there.ts"],
  ["nothing-unresolved", "local", "local/gone.ts"],
  // a verb that the rules do not list could import any other
  ...verbs.map((verb): [string, string, string] => [
    "a-verb-does-not-import-another",
    `services/${verb}`,
    `services/${verb === "relay" ? "project" : "relay"}/there.ts`,
  ]),
];

const value = "export const value = 1;\n";
const imports = (path: string) => `import { value } from "${path}";\nexport const other = value;\n`;
const fileOf = (line: number): string => `${lines[line]?.[1]}/line-${line}.ts`;

/** Builds the house, looks at it once with the project's own rules, and gives each file's broken ones. */
const look = async (house: string): Promise<Map<string, Set<string>>> => {
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json"]) await cp(join(root, file), join(house, file));
  const put = async (path: string, text: string) => {
    await mkdir(dirname(join(house, path)), { recursive: true });
    await writeFile(join(house, path), text);
  };
  for (const library of ["zod", "hono"]) {
    await put(
      `node_modules/${library}/package.json`,
      JSON.stringify({ name: library, version: "1.0.0", type: "module", exports: "./index.js" }),
    );
    await put(`node_modules/${library}/index.js`, value);
  }
  await put("package.json", JSON.stringify({ name: "house", type: "module", dependencies: { zod: "1.0.0", hono: "1.0.0" } }));
  for (const [line, [, from, to]] of lines.entries()) {
    const isFile = to.includes("/");
    await put(fileOf(line), imports(isFile ? `${"../".repeat(from.split("/").length)}${to}` : to));
    if (isFile && !to.endsWith("gone.ts")) await put(to, value);
  }
  await put("local/cycle-a.ts", imports("./cycle-b.ts"));
  await put("local/cycle-b.ts", `export { other as value } from "./cycle-a.ts";\n`);

  const args = ["--config", ".dependency-cruiser.cjs", "--output-type", "json", "domain", "services", "infra", "local", "cli"];
  const output = await new Promise<string>((done, failed) =>
    execFile(join(root, "node_modules/.bin/depcruise"), args, { cwd: house, maxBuffer: 32 * 1024 * 1024 }, (error, stdout) =>
      stdout === "" ? failed(error) : done(stdout),
    ),
  );
  const { summary } = JSON.parse(output) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  const broken = new Map<string, Set<string>>();
  for (const { from, rule } of summary.violations) broken.set(from, (broken.get(from) ?? new Set()).add(rule.name));
  return broken;
};

describe("the rooms' rules", () => {
  let broken: Map<string, Set<string>>;
  beforeAll(async () => {
    const house = await mkdtemp(join(tmpdir(), "shiplog-rooms-"));
    try {
      broken = await look(house);
    } finally {
      await rm(house, { recursive: true, force: true });
    }
  }, 60_000);

  it.each(lines.map(([rule, from, to], line) => ({ rule: rule ?? "nothing", from, to, line, expected: rule === null ? [] : [rule] })))(
    "find $rule broken where $from imports $to",
    ({ line, expected }) => {
      expect([...(broken.get(fileOf(line)) ?? [])]).toEqual(expected);
    },
  );
  it("find a cycle", () => {
    expect([...(broken.get("local/cycle-a.ts") ?? []), ...(broken.get("local/cycle-b.ts") ?? [])]).toContain("no-cycles");
  });
  it("say nothing of anything else", () => {
    const planted = new Set([
      ...lines.flatMap(([rule], line) => (rule === null ? [] : [fileOf(line)])),
      "local/cycle-a.ts",
      "local/cycle-b.ts",
    ]);
    expect([...broken.keys()].filter((file) => !planted.has(file))).toEqual([]);
  });
});
