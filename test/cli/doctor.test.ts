import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DisableRuleCommand, EnableRuleCommand } from "@aws-sdk/client-eventbridge";
import { DeleteAliasCommand, GetAliasCommand, UpdateAliasCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { DeleteQueueCommand, GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BUS, deadLetterName, EVENTS_TABLE, ruleName } from "../../blueprint/topology.ts";
import type { Finding } from "../../operator/doctor/finding.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";
import { runCli } from "./support/run-cli.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
});
afterAll(() => world.close());

const doctor = async (...words: string[]) => runCli(["--data", join(world.folder, "data"), "doctor", ...words], {});
const findings = async (): Promise<{ code: number | null; bad: Finding[]; all: Finding[] }> => {
  const { code, out } = await doctor("--json");
  const all = (JSON.parse(out) as { findings: Finding[] }).findings;
  return { code, all, bad: all.filter(({ state }) => state !== "ok") };
};

it("finds everything well where nothing is wrong, line by line", async () => {
  await world.live("production");
  const { code, out, err } = await doctor();
  expect(out).not.toMatch(/mend:/);
  expect(code).toBe(0);
  expect(out).toMatch(/^✓ API: answers at http/m);
  expect(out).toMatch(/^✓ builds on \S+\/Small: 60 at once$/m);
  expect(out).toMatch(/^✓ functions at once: 1000$/m);
  expect(out).toMatch(/^✓ table shiplog-events: is active, with its stream$/m);
  expect(out).toMatch(/^✓ rule shiplog-flip-alias: is enabled$/m);
  expect(out).toMatch(/^✓ alias shiplog-web-production-server:live: is at version 2, sequence 1, as the log says$/m);
  expect(out).toMatch(/^✓ edge of web\/production: what is live knows its key$/m);
  expect(out).toMatch(/^✓ log: [1-9]\d* streams sampled, \d+ commits: their chains are whole/m);
  expect(out).toMatch(/^✓ code storage: \S+ of 75\.0 GB for functions' code are used \(0 %\)$/m);
  expect(err).toMatch(/All \d+ are well\./);
});

it("names a rule that somebody disabled, and the command that enables it", async () => {
  const rule = { Name: ruleName("advance"), EventBusName: BUS };
  await world.aws.clients.eventBridge.send(new DisableRuleCommand(rule));
  const { code, bad } = await findings();
  expect(code).toBe(5);
  expect(bad).toEqual([
    {
      what: "rule shiplog-advance",
      state: "wrong",
      says: "is disabled: nothing gets through",
      mend: "aws events enable-rule --name shiplog-advance --event-bus-name shiplog",
    },
  ]);
  await world.aws.clients.eventBridge.send(new EnableRuleCommand(rule));
  expect((await findings()).bad).toEqual([]);
});

it("names an alias that is not where the log has put it", async () => {
  const { lambda } = world.aws.clients;
  const at = { FunctionName: world.resources("production").functions.image, Name: "live" };
  const { FunctionVersion, Description } = await lambda.send(new GetAliasCommand(at));
  await lambda.send(new UpdateAliasCommand({ ...at, FunctionVersion: "1", Description: "by hand" }));
  const { bad } = await findings();
  expect(bad).toMatchObject([{ what: "alias shiplog-web-production-image:live", state: "wrong" }]);
  expect(bad[0]?.says).toBe(
    'was changed by hand: it is at version 1, and the log has put it at version 2; its description "by hand" is not Shiplog\'s',
  );
  expect(bad[0]?.mend).toContain("shiplog why web/production");
  await lambda.send(new UpdateAliasCommand({ ...at, FunctionVersion, Description }));
});

it("names what is missing, and says what makes it", async () => {
  const { sqs, lambda } = world.aws.clients;
  const QueueUrl = (await sqs.send(new GetQueueUrlCommand({ QueueName: deadLetterName("end-release") }))).QueueUrl;
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  await lambda.send(new DeleteAliasCommand({ FunctionName: world.resources("production").functions.revalidation, Name: "live" }));
  const { code, bad } = await findings();
  expect(code).toBe(5);
  expect(bad.map(({ what, state }) => [what, state])).toEqual([
    [`dead letters ${deadLetterName("end-release")}`, "missing"],
    ["alias shiplog-web-production-revalidation:live", "missing"],
  ]);
  for (const { mend } of bad) expect(mend).toContain("shiplog dev");
  const others = await runCli(["--data", join(world.folder, "data"), "events", "--dead-letters"], {});
  expect([others.code, others.err]).toEqual([
    5,
    "The dead letters of end-release cannot be read: its queue of them is gone. What to do says: shiplog doctor\nThere are no others.\n",
  ]);
});

it("names messages that nobody could take", async () => {
  await world.dev.engine.queues.send("advance", "half a mess");
  const { bad } = await untilSeen(`dead letters ${deadLetterName("advance")}`);
  expect(bad.find(({ what }) => what.endsWith("advance-dead"))).toMatchObject({
    says: "has 1 message that nobody could take",
    mend: "shiplog quarantine ls",
  });
});

it("takes some pages that OpenNext could not confirm for ordinary, and names more of them with what they are and how to forget them", async () => {
  const { sqs } = world.aws.clients;
  const { revalidationDeadLetters: QueueName } = world.resources("production");
  const QueueUrl = (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  const send = (n: number) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: JSON.stringify({ host: "shop.example.com", url: `/posts/${n}` }),
        MessageGroupId: `group-${n}`,
        MessageDeduplicationId: `page-${n}`,
      }),
    );
  const what = `dead letters ${QueueName}`;
  const found = async (): Promise<Finding | undefined> => (await findings()).all.find((one) => one.what === what);
  await Promise.all(Array.from({ length: 100 }, (_, n) => send(n)));
  expect(await found()).toEqual({ what, state: "ok", says: "100 pages could not be confirmed as made again", mend: null });
  await send(100);
  expect(await found()).toEqual({
    what,
    state: "wrong",
    says: expect.stringMatching(
      /^101 pages could not be confirmed as made again: known of partially prerendered pages and of trailingSlash/,
    ),
    mend: "see which with: shiplog events --dead-letters; then forget them with: shiplog events --dead-letters --empty web/production",
  });

  const events = (...words: string[]) => runCli(["--data", join(world.folder, "data"), "events", ...words], {});
  const shown = await events("--dead-letters");
  expect(shown.out).toMatch(
    /revalidation of web\/production .*OpenNext could not confirm that \/posts\/\d+ was made again; known of partially prerendered pages/,
  );
  const { code, err } = await events("--dead-letters", "--empty", "web/production", "--yes");
  expect([code, err]).toEqual([0, expect.stringContaining("About 101 dead letters of web/production are forgotten.")]);
  expect(await found()).toMatchObject({ state: "ok", says: "0 pages could not be confirmed as made again" });
  // SQS empties a queue once in a minute
  expect(await events("--dead-letters", "--empty", "web/production", "--yes")).toMatchObject({
    code: 6,
    err: expect.stringContaining("Not again yet: the dead letters of web/production are being emptied, which takes a minute."),
  });
});

it("names a stream of the log that was changed behind Shiplog's back", async () => {
  const { dynamodb } = world.aws.clients;
  const Key = { pk: { S: "environment/web/production" }, sk: { S: "0000000001" } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: EVENTS_TABLE, Key }));
  await dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item: { ...Item, actor: { S: "innocent-bob" } } }));
  const { code, all } = await findings();
  await dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item }));
  expect(code).toBe(5);
  expect(all.filter(({ what }) => what.startsWith("log"))).toEqual([
    {
      what: "log of environment/web/production",
      state: "wrong",
      says: "was changed behind Shiplog's back at version 1: its content was changed after it was written",
      mend: expect.stringMatching(/backup .*shiplog audit verify$/),
    },
  ]);
});

it("says that the key of seals is another than that of the last seal, and what brings it back", async () => {
  expect((await runCli(["--data", join(world.folder, "data"), "audit", "seal"], {})).code).toBe(0);
  const { Contents = [] } = await world.aws.clients.s3.send(new ListObjectsV2Command({ Bucket: "shiplog-archive", Prefix: "seals/" }));
  const seal = { Bucket: "shiplog-archive", Key: Contents.at(-1)?.Key };
  const { Body } = await world.aws.clients.s3.send(new GetObjectCommand(seal));
  const text = (await Body?.transformToString()) ?? "";
  const sealed = JSON.parse(text);
  await world.aws.clients.s3.send(new PutObjectCommand({ ...seal, Body: JSON.stringify({ ...sealed, key: "arn:of-another-key" }) }));
  const ofSeals = async (): Promise<Finding[]> => (await findings()).bad.filter(({ what }) => what === "seals");
  expect(await ofSeals()).toEqual([
    {
      what: "seals",
      state: "wrong",
      says: `seal ${Contents.length} was signed by the key arn:of-another-key, and here is another, ${sealed.key}: nothing is sealed any more`,
      mend: expect.stringContaining("kms.json of the data folder"),
    },
  ]);
  await world.aws.clients.s3.send(new PutObjectCommand({ ...seal, Body: text }));
  expect(await ofSeals()).toEqual([]);
});

it("looks at nothing more where the local engine does not run, and says how to start it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-doctor-"));
  const there = JSON.parse(await readFile(join(world.folder, "data/connection.json"), "utf8"));
  await writeFile(join(folder, "connection.json"), JSON.stringify({ ...there, url: "http://127.0.0.1:9" }), { mode: 0o600 });
  const { code, out } = await runCli(["--json", "--data", folder, "doctor"], {});
  expect(code).toBe(5);
  expect(JSON.parse(out).findings).toMatchObject([
    { what: "API", state: "wrong", mend: expect.stringContaining("start `shiplog dev` again") },
  ]);
  await rm(folder, { recursive: true, force: true });
});

it("says what to set where neither an engine nor an account is known", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-doctor-"));
  const { code, err } = await runCli(["doctor"], { cwd: folder, env: { AWS_EC2_METADATA_DISABLED: "true", HOME: folder } });
  expect(code).toBe(2);
  expect(err).toMatch(/AWS cannot be asked: .*\n.*AWS_REGION/);
  await rm(folder, { recursive: true, force: true });
});

const untilSeen = (what: string) =>
  until(`${what} to be named`, async () => {
    const seen = await findings();
    return seen.bad.some((finding) => finding.what === what) && seen;
  });
