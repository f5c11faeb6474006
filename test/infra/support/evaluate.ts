import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { create, lookUp, REGION } from "./aws-answers.ts";
import { config, importBundled, platform, root, work } from "./bundle-config.ts";
import { startCliServer } from "./cli-server.ts";

/**
 * `node evaluate.ts <stage> <file>` runs `sst.config.ts` as SST's CLI does (the same bundling and globals), with Pulumi's
 * mocks in place of AWS, and writes every resource that was declared. A process of its own: Pulumi is global.
 */
const [stage = "test", file = "graph.json"] = process.argv.slice(2);
const require = createRequire(join(platform, "package.json"));
const scratch = join(dirname(resolve(file)), stage);
mkdirSync(scratch, { recursive: true });

type App = { name: string; home: string; removal?: string; protect?: boolean; providers?: Record<string, unknown>; stage: string };
const loadApp = async (): Promise<App> => {
  const { app } = await importBundled<{ app(input: { stage: string }): Promise<App> }>({
    name: "app",
    banner: "function $config(input) { return input }",
    code: `import mod from ${JSON.stringify(config)}; export default mod;`,
  });
  const said = { ...(await app({ stage })), stage };
  const providers = Object.entries(said.providers ?? {}).map(([name, value]) => [
    name,
    typeof value === "string" ? { version: value } : value,
  ]);
  return { ...said, removal: said.removal ?? "retain", protect: said.protect ?? false, providers: Object.fromEntries(providers) };
};

const cli = await startCliServer(scratch);
process.env.SST_SERVER = cli.url;
process.env.SST_AWS_REGION ??= REGION;
// names of SST's own end in random letters, and secrets are random: the graph must be the same every time
require("node:crypto").randomBytes = (length: number) => Buffer.alloc(length, 7);

const app = await loadApp();
const pulumi = require("@pulumi/pulumi");
const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks");
const settings = require("@pulumi/pulumi/runtime/settings");

const resources: Record<string, unknown>[] = [];
for (const kind of ["registerResource", "readResource"] as const) {
  const original = MockMonitor.prototype[kind];
  // biome-ignore lint/suspicious/noExplicitAny: Pulumi's generated messages have no types
  MockMonitor.prototype[kind] = function (request: any, callback: (error: unknown, response: any) => void) {
    // biome-ignore lint/suspicious/noExplicitAny: Pulumi's generated messages have no types
    return original.call(this, request, (error: unknown, response: any) => {
      if (!error) resources.push(recorded(kind, request, response));
      callback(error, response);
    });
  };
}

// biome-ignore lint/suspicious/noExplicitAny: Pulumi's generated messages have no types
function recorded(kind: string, request: any, response: any): Record<string, unknown> {
  const common = { urn: response.getUrn(), type: request.getType(), name: request.getName(), parent: request.getParent() || undefined };
  if (kind === "readResource") return { ...common, kind, inputs: plain(request.getProperties()?.toJavaScript() ?? {}), uses: {} };
  const uses: Record<string, string[]> = {};
  // biome-ignore lint/suspicious/noExplicitAny: Pulumi's generated messages have no types
  request.getPropertydependenciesMap().forEach((value: any, key: string) => {
    uses[key] = value.getUrnsList();
  });
  return {
    ...common,
    kind,
    inputs: plain(request.getObject()?.toJavaScript() ?? {}),
    outputs: plain(response.getObject()?.toJavaScript() ?? {}),
    uses,
    dependsOn: request.getDependenciesList(),
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** Without Pulumi's wrappers: a secret is its value, a reference to a resource its URN. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const { [SIGNATURE]: signature, ...rest } = value as Record<string, unknown>;
  if (signature === "1b47061264138c4ac30d75fd1eb44270") return plain(rest.value);
  if (signature === "5cf8f73096256a8f31e491e813e4eb8e") return rest.urn;
  return Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, plain(inner)]));
}

const errors: string[] = [];
const failed = (error: unknown): void => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!errors.includes(text)) errors.push(text);
  // what depended on it will never be resolved: nothing is waited for any more
  setTimeout(finish, 200);
};
process.on("unhandledRejection", failed);
process.on("uncaughtException", failed);

await pulumi.runtime.setMocks({ newResource: create, call: lookUp }, app.name, stage, false, "organization");
const providers = JSON.parse(readFileSync(join(work, "provider-lock.json"), "utf8")) as { alias: string; package: string }[];
const program = await importBundled<() => Promise<unknown>>({
  name: "run",
  globals: [
    ...providers.map(({ alias, package: name }) => `import * as ${alias} from "${name}";`),
    `import * as sst from "${platform}/src/components";`,
  ].join("\n"),
  inject: [join(platform, "src/shim/run.js")],
  define: {
    $app: JSON.stringify(app),
    $cli: JSON.stringify({
      command: "deploy",
      dev: false,
      paths: { home: scratch, root, work: scratch, platform },
      state: { version: {} },
    }),
    $dev: "false",
  },
  code: `import { run } from "${platform}/src/auto/run.ts"; import mod from '${config}'; export default () => run(mod.run);`,
});
// Pulumi keeps where each promise was made: more than half of the time, and nobody reads it. An error says which resource it is of
Error.stackTraceLimit = 0;
try {
  await pulumi.runtime.runInPulumiStack(program);
} catch (error) {
  failed(error);
}
// what an output leads to may itself declare resources
for (let turn = 0; turn < 4 && errors.length === 0; turn++) {
  await settings.waitForRPCs();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
finish();

function finish(): never {
  cli.close();
  resources.sort((a, b) => (String(a.urn) < String(b.urn) ? -1 : 1)); // they register in any order
  const seen = new Set<unknown>();
  for (const { urn } of resources) {
    if (seen.has(urn)) errors.push(`two resources are ${urn}`);
    seen.add(urn);
  }
  writeFileSync(file, JSON.stringify({ app, resources, builds: cli.builds, errors }));
  if (errors.length > 0) console.error(errors.join("\n\n"));
  process.exit(errors.length > 0 ? 1 : 0);
}
