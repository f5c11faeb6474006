import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EVENTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { previewKeysOf } from "../../engine/open-next/preview-keys.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { hostileLambda } from "../support/hostile-lambda.ts";
import { everyObject, foundInBytes, foundInFolder, type Secrets, foundIn as search, textOfTable } from "../support/secret-search.ts";
import { startWorld, type World } from "../support/world.ts";

const CANARY = "canary-7f3d91c0a4e2 & more/of=it";
const SET = "was-set-5d20b7e1c9aa";
const SET_BEFORE = "was-set-before-91c2";
let world: World;
/** The values that must not be seen, by what they are. */
let secrets: Secrets;
/** The same of those that are in a release's code, as a build's own are. */
let previewKeys: Secrets;
let id: string;
beforeAll(async () => {
  world = await startWorld({
    environments: ["production"],
    site: { variables: ["CANARY", "LINES", "WAS_SET"] },
    variables: { CANARY, LINES: "first-line-of-a-key\nsecond-line-of-a-key", NOT_DECLARED: "undeclared-1b7" },
  });
  const { secret } = world.resources("production");
  const { SecretString = "{}" } = await world.aws.clients.secrets.send(new GetSecretValueCommand({ SecretId: secret }));
  secrets = {
    variable: CANARY,
    "second line of a variable": "second-line-of-a-key",
    "undeclared variable": "undeclared-1b7",
    "variable that was set": SET,
    "value before": SET_BEFORE,
    "key of fingerprints": JSON.parse(JSON.parse(SecretString).SHIPLOG_VARIABLES).key,
    "key of Server Actions": (JSON.parse(SecretString) as Record<string, string>).NEXT_SERVER_ACTIONS_ENCRYPTION_KEY ?? "none",
    token: world.dev.token,
    "access key": world.dev.aws.endpoint.credentials.secretAccessKey,
  };
  previewKeys = previewKeysOf({ site: "web", environment: "production" }, secrets["key of Server Actions"] ?? "");

  for (const value of [SET_BEFORE, SET]) await shiplog(["set", "WAS_SET"], value);
  told.push(...(await Promise.all([shiplog(["ls"]), shiplog(["ls", "--json"]), shiplog(["set", "WAS_SET", SET]), shiplog(["pull"])])));
  id = await deployTalkative("");
  await world.reached(id, "success");
  const failing = await deployTalkative("      - exit 3\n");
  await world.reached(failing, "failed");
  const hostile = hostileLambda(world.aws);
  hostile.refuse({ operation: "UpdateFunctionCode", status: 400, code: "InvalidParameterValueException", times: 3 });
  await world.reached(await world.deploy("production"), "failed");
  hostile.mend();
  await world.api.rollback("web", "production", id);
  await world.dev.engine.queues.send("watch-build", '{"not":"an event"}');
});
afterAll(() => world.close());

/** What commands about variables printed. */
const told: string[] = [];
const shiplog = async (words: string[], input?: string): Promise<string> => {
  const env = { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token };
  const { out, err } = await runCli(["env", ...words], { env, cwd: world.folder, ...(input !== undefined && { input }) });
  return out + err;
};

/** A build that prints what it knows and exports it under a name that is recorded. */
async function deployTalkative(more: string): Promise<string> {
  const dir = await world.app();
  const spec = await readFile(join(dir, "buildspec.yml"), "utf8");
  const talk = [
    'echo "the canary is $CANARY, the key is $NEXT_SERVER_ACTIONS_ENCRYPTION_KEY"',
    "env",
    "set",
    'echo "$LINES" >&2',
    'echo "was set to $WAS_SET"',
    'export OPEN_NEXT_VERSION="$CANARY"',
  ];
  await writeFile(
    join(dir, "buildspec.yml"),
    spec.replace(
      "      - export OPEN_NEXT_VERSION=4.1.12\n",
      `${talk.map((command) => `      - ${JSON.stringify(command)}\n`).join("")}${more}`,
    ),
  );
  return world.deployFolder("production", dir);
}

const foundIn = (text: string): readonly string[] => search(text, { ...secrets, ...previewKeys });

it("the values reach the build and the functions: there is something to hide", async () => {
  const { server } = world.resources("production").functions;
  const [version] = await world.dev.engine.functions.versions(server);
  expect(foundIn(JSON.stringify(version))).toEqual([
    "variable",
    "second line of a variable",
    "variable that was set",
    "key of Server Actions",
  ]);
  const { body } = await world.api.get(`deployments/${id}/logs`);
  const said = body.lines.map(({ message }: { message: string }) => message) as string[];
  expect(said).toContain("the canary is ***, the key is ***");
  expect(said).toContain("was set to ***");
  expect(said.join("\n")).toContain("CANARY=");
});

it("the preview keys reach the code, and no other bucket", async () => {
  const holders = new Set<string>();
  for await (const [name, bytes] of everyObject(world.aws.clients.s3))
    if ((await foundInBytes(bytes, previewKeys)).length > 0) holders.add(name.split("/").slice(0, 2).join("/"));
  expect([...holders]).toEqual([expect.stringMatching(/artifacts.*\/functions$/)]);
});

it("no event and no view has a secret", async () => {
  for (const TableName of [EVENTS_TABLE, VIEWS_TABLE]) {
    const text = await textOfTable(world.aws.clients.dynamodb, TableName);
    expect(text).toContain("web/production");
    expect([TableName, foundIn(text)]).toEqual([TableName, []]);
  }
});

it("no answer of the API has a secret", async () => {
  const ids = ((await world.api.get("deployments")).body.deployments as { id: string }[]).map((deployment) => deployment.id);
  expect(ids).toHaveLength(3);
  const paths = [
    "environments/web/production/variables",
    "audit",
    "environments",
    "environments/web/production",
    "environments/web/production/events",
    "deployments",
    "dead-letters",
  ];
  for (const one of ids) paths.push(`deployments/${one}`, `deployments/${one}/events`, `deployments/${one}/logs`);
  for (const path of [...paths, "events", "nowhere"]) {
    const { text } = await world.api.get(path);
    expect([path, foundIn(text)]).toEqual([path, []]);
  }
});

it("no command about variables prints a value", () => {
  expect(told).toHaveLength(4);
  expect(told.join("\n")).toContain("WAS_SET");
  expect(told.filter((text) => foundIn(text).length > 0)).toEqual([]);
});

it("no line of a log has a secret", () => {
  expect(world.lines.length).toBeGreaterThan(0);
  expect(world.lines.filter((line) => foundIn(line).length > 0)).toEqual([]);
});

it("on disk they lie only where they belong, for the owner alone", async () => {
  const data = join(world.folder, "data");
  const places = await foundInFolder(data, secrets);
  expect(places.map(({ file, mode }) => `${mode} ${file}`)).toEqual([
    "600 access-key.json",
    "600 connection.json",
    // as on AWS a function's configuration has the values that its code is given
    "600 lambda/functions/shiplog-web-production-server.json",
    "600 memory.json",
    "600 secrets.json",
  ]);
  expect((await stat(data)).mode & 0o077).toBe(0);
});
