import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetFunctionUrlConfigCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ORIGIN_HEADER, siteResources } from "../../blueprint/site-resources.ts";
import { lambdaFunctions } from "../../engine/aws/functions.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { addressByNumber } from "../../local/function-address.ts";
import { knowsEdge } from "../../operator/doctor/site.ts";
import { apiClient } from "../support/api-client.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { until } from "../support/until.ts";

const { functions, alias, revalidationQueue } = siteResources("web", "production");

let folder: string;
let dev: Development;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "origin-keys-"));
  await writeFixtureApp(join(folder, "app"));
  lines = [];
  await start([1]);
});
afterEach(async () => {
  await dev.close();
  await rm(folder, { recursive: true, force: true });
});

/** The engine, with these numbers of keys declared. */
const start = async (originKeys: readonly number[]): Promise<void> => {
  const sitesFile = join(folder, "sites.json");
  await writeFile(
    sitesFile,
    JSON.stringify({ sites: [{ name: "web", source: "app", environments: [{ name: "production", originKeys }] }] }),
  );
  dev = await startDevelopment({
    tableDelayMs: 0,
    dataDir: join(folder, "data"),
    sitesFile,
    variables: {},
    log: (line) => void lines.push(line),
  });
};
const api = () => apiClient(dev.apiUrl, dev.token);
const ended = (id: string) =>
  until(`${id} to end`, async () => {
    const { status, reason } = await api().deployment(id);
    return ["success", "failed"].includes(status) ? { status, reason } : undefined;
  });
const deployed = async (): Promise<string> => {
  const { id } = await api().deploy("web", "production", await api().upload("web", join(folder, "app")));
  expect(await ended(id)).toEqual({ status: "success", reason: null });
  return id;
};
const page = async (): Promise<number> => (await fetch(dev.sites[0]?.url ?? "", { headers: { [ORIGIN_HEADER]: "of-a-visitor" } })).status;
/** What somebody gets who knows the address of a function. */
const direct = async (role: "server" | "image", headers: Record<string, string> = {}): Promise<number> => {
  const { FunctionUrl = "" } = await dev.aws.clients.lambda.send(
    new GetFunctionUrlConfigCommand({ FunctionName: functions[role], Qualifier: alias }),
  );
  return (await fetch(addressByNumber(FunctionUrl), { headers: { "x-forwarded-host": "evil.example", ...headers } })).status;
};
const queued = async (): Promise<string | undefined> => {
  const { QueueUrl } = await dev.aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName: revalidationQueue }));
  return (await dev.aws.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }))).Attributes
    ?.ApproximateNumberOfMessages;
};

/** What the doctor says of the keys. */
const edgeIs = async (): Promise<[string, string]> => {
  const { edgeKeys = [] } = (await api().environment("web", "production")) as { edgeKeys?: string[] };
  const sight = { fn: lambdaFunctions(dev.aws.clients.lambda).get };
  const place = { site: "web", environment: "production", functions: Object.values(functions) };
  const { state, says } = await knowsEdge(sight, place, edgeKeys);
  return [state, says];
};

it("a site answers at its edge alone: who asks its functions themselves is refused, and nothing is queued", async () => {
  await deployed();
  expect(await page()).toBe(200);
  for (const role of ["server", "image"] as const) {
    expect(await direct(role)).toBe(403);
    expect(await direct(role, { [ORIGIN_HEADER]: "a-guess" })).toBe(403);
  }
  expect(await queued()).toBe("0");
  const kept = JSON.parse(await readFile(join(folder, "data/origin-keys.json"), "utf8"));
  const key = kept["web/production"][1];
  expect(await direct("server", { [ORIGIN_HEADER]: key })).toBe(200);
  // neither told nor logged
  const told = JSON.stringify([await api().events("environments/web/production"), lines]);
  expect([key.length > 40, told.includes(key)]).toEqual([true, false]);
});

it("a key is replaced at once: nobody is answered until the next deployment, and the doctor says so", async () => {
  await deployed();
  await dev.close();
  await start([2]);
  expect(await page()).toBe(403);
  expect(await edgeIs()).toEqual([
    "wrong",
    `sends no key that ${functions.server}, ${functions.image} would know: visitors get 403 from what is live`,
  ]);
  await deployed();
  expect([await page(), ...(await edgeIs())]).toEqual([200, "ok", "what is live knows its key"]);
});

it("a key is replaced in steps, during which every visitor is answered; a release that knows the old one alone is no way back", async () => {
  const before = await deployed();
  const after: number[] = [];
  const restart = async (numbers: readonly number[]): Promise<void> => {
    await dev.close();
    await start(numbers);
    after.push(await page());
  };
  await restart([2, 1]);
  expect(await edgeIs()).toEqual([
    "ok",
    `${functions.server}, ${functions.image} knows its former key alone: deploy web/production again before that is dropped`,
  ]);
  const between = await deployed();
  after.push(await page());
  expect(await edgeIs()).toEqual(["ok", "what is live knows its key"]);
  await restart([2]);
  await deployed();
  expect([...after, await page()]).toEqual([200, 200, 200, 200]);

  await api().rollback("web", "production", between);
  await until("the rollback to be live", async () => (await api().environment("web", "production")).live?.deploymentId === between);
  for (const force of [false, true]) {
    await api().rollback("web", "production", before, { force });
    const failed = await until(
      "the other to fail",
      async () =>
        (await api().events("environments/web/production")).filter(
          ({ type, body }) => type === "FlipFailed" && body.deploymentId === before,
        )[Number(force)],
    );
    expect(JSON.stringify(failed.body)).toContain("does not know the key of its edge");
  }
  expect([await page(), (await api().environment("web", "production")).live?.deploymentId]).toEqual([200, between]);
});
