import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const foldersOf = (room: string) =>
  readdirSync(join(root, room), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
const top = ["domain", "blueprint", "services", "operator", "client", "dashboard", "cli", "demo", "infra", "local"];
const knowsItsRooms = (room: string) => `${room.replace("/", "-")}-knows-its-rooms`;

/** What one file imports, and the rule that it breaks by it; `null` where it may. Each line is a file of its own in one house. */
const lines: [rule: string | null, from: string, to: string][] = [
  [null, "domain/kernel", "zod"],
  [null, "domain/deployment", "domain/kernel/there.ts"],
  [null, "engine/kit", "domain/kernel/there.ts"],
  [null, "engine/log", "engine/aws/there.ts"],
  [null, "services/advance", "engine/kit/there.ts"],
  [null, "services/advance", "blueprint/there.ts"],
  [null, "operator/replay", "engine/archive/there.ts"],
  [null, "infra", "blueprint/there.ts"],
  [null, "local", "engine/kit/there.ts"],
  [null, "local", "blueprint/there.ts"],
  [null, "cli", "client/there.ts"],
  [null, "dashboard", "client/there.ts"],
  [knowsItsRooms("dashboard"), "dashboard", "engine/kit/there.ts"],
  [knowsItsRooms("dashboard"), "dashboard", "services/api/there.ts"],
  [null, "cli", "engine/zip/there.ts"],
  [null, "cli", "domain/projections/there.ts"],
  [null, "demo", "cli/there.ts"],
  ["domain-is-pure", "domain/kernel", "hono"],
  ["domain-is-pure", "domain/kernel", "node:crypto"],
  [knowsItsRooms("blueprint"), "blueprint", "engine/kit/there.ts"],
  [knowsItsRooms("engine/kit"), "engine/kit", "engine/aws/there.ts"],
  [knowsItsRooms("engine/aws"), "engine/aws", "engine/views/there.ts"],
  [knowsItsRooms("engine/log"), "engine/log", "engine/archive/there.ts"],
  [knowsItsRooms("client"), "client", "engine/zip/there.ts"],
  [knowsItsRooms("services"), "services/relay", "operator/replay/there.ts"],
  [knowsItsRooms("services"), "services/relay", "cli/there.ts"],
  [knowsItsRooms("infra"), "infra", "engine/kit/there.ts"],
  [knowsItsRooms("local"), "local", "cli/there.ts"],
  ["the-cli-talks-to-the-api", "cli", "engine/log/there.ts"],
  ["the-cli-talks-to-the-api", "cli", "operator/replay/there.ts"],
  [knowsItsRooms("cli"), "cli", "services/api/there.ts"],
  ["the-cli-decides-nothing", "cli", "domain/deployment/decider.ts"],
  ["nothing-unresolved", "local", "local/gone.ts"],
  ...top.map((room): [string, string, string] => [
    knowsItsRooms(room),
    room === "services" || room === "operator" ? `${room}/there` : room,
    "test/there.ts",
  ]),
  ...foldersOf("engine").map((folder): [string, string, string] => [
    knowsItsRooms(`engine/${folder}`),
    `engine/${folder}`,
    "services/relay/there.ts",
  ]),
  ...foldersOf("services").map((verb): [string, string, string] => [
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

  const args = ["--config", ".dependency-cruiser.cjs", "--output-type", "json", ...top, "engine"];
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
      const found = [...(broken.get(fileOf(line)) ?? [])];
      // what the domain must not know is twice said
      expect(expected.length === 0 ? found : found.filter((rule) => expected.includes(rule))).toEqual(expected);
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
