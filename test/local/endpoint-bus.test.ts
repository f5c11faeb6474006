import {
  CreateEventBusCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { matchesPattern, parsePattern } from "../../local/endpoint/event-pattern.ts";
import {
  type Clients,
  clientsOf,
  createQueue,
  failureOf,
  isEmpty,
  newDataDir,
  queueArn,
  removeDataDirs,
  takeMessage,
} from "./endpoint-support.ts";

let endpoint: Endpoint;
let clients: Clients;
const EventBusName = "engine";
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  clients = clientsOf(endpoint);
  await clients.events.send(new CreateEventBusCommand({ Name: EventBusName }));
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  removeDataDirs();
});

async function rule(Name: string, pattern: object, target: Omit<Target, "Id">, bus = EventBusName): Promise<void> {
  await clients.events.send(new PutRuleCommand({ Name, EventBusName: bus, EventPattern: JSON.stringify(pattern) }));
  const put = new PutTargetsCommand({ Rule: Name, EventBusName: bus, Targets: [{ Id: "1", ...target }] });
  expect(await clients.events.send(put)).toMatchObject({ FailedEntryCount: 0 });
}
const entry = (Source: string, detail: object = {}): PutEventsRequestEntry => ({
  EventBusName,
  Source,
  DetailType: "Something",
  Detail: JSON.stringify(detail),
});
const publish = (...Entries: PutEventsRequestEntry[]) => clients.events.send(new PutEventsCommand({ Entries }));

it("has an event in every matching queue, in its envelope, when PutEvents answers", async () => {
  const one = await createQueue(clients, "match-1");
  const two = await createQueue(clients, "match-2");
  const other = await createQueue(clients, "match-other");
  await rule("match-1", { source: ["match"] }, { Arn: queueArn("match-1") });
  await rule("match-2", { source: [{ prefix: "mat" }], detail: { n: [{ numeric: [">", 1] }] } }, { Arn: queueArn("match-2") });
  await rule("match-other", { source: ["nothing"] }, { Arn: queueArn("match-other") });
  const Time = new Date("2026-01-02T03:04:05Z");
  const { Entries, FailedEntryCount } = await publish({ ...entry("match", { n: 2 }), Time, Resources: ["r"] });
  expect(FailedEntryCount).toBe(0);

  const body = JSON.parse((await takeMessage(clients, one)).Body ?? "");
  expect(body).toEqual({
    version: "0",
    id: Entries?.[0]?.EventId,
    "detail-type": "Something",
    source: "match",
    account: "000000000000",
    time: "2026-01-02T03:04:05Z",
    region: "eu-west-1",
    resources: ["r"],
    detail: { n: 2 },
  });
  expect(JSON.parse((await takeMessage(clients, two)).Body ?? "")).toEqual(body);
  expect(await isEmpty(clients, other)).toBe(true);
});

it("fails an entry alone, with AWS's codes", async () => {
  const url = await createQueue(clients, "partial");
  await rule("partial", { source: ["partial"] }, { Arn: queueArn("partial") });
  const { Entries = [], FailedEntryCount } = await publish(
    entry("aws.codebuild"),
    { ...entry("partial"), Detail: "{not json" },
    { ...entry("partial"), DetailType: undefined },
    entry("partial", { kept: true }),
  );
  expect(FailedEntryCount).toBe(3);
  const codes = Entries.map(({ ErrorCode }) => ErrorCode);
  expect(codes).toEqual(["NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument", undefined]);
  expect(JSON.parse((await takeMessage(clients, url)).Body ?? "").detail).toEqual({ kept: true });
});

it("refuses a call with too many entries or too many bytes", async () => {
  expect((await failureOf(publish(...Array.from({ length: 11 }, () => entry("x"))))).name).toBe("ValidationException");
  const large = () => entry("x", { text: "y".repeat(140_000) });
  expect((await failureOf(publish(large(), large()))).name).toBe("ValidationException");
});

it("puts what can't be delivered into the target's dead-letter queue, and says why", async () => {
  const dead = await createQueue(clients, "bus-dlq");
  const DeadLetterConfig = { Arn: queueArn("bus-dlq") };
  await rule("undeliverable", { source: ["lost"] }, { Arn: queueArn("no-such-queue"), DeadLetterConfig });
  expect(await publish(entry("lost", { n: 1 }))).toMatchObject({ FailedEntryCount: 0 });
  const { Body = "", MessageAttributes } = await takeMessage(clients, dead);
  expect(JSON.parse(Body).detail).toEqual({ n: 1 });
  expect(MessageAttributes).toMatchObject({
    ERROR_CODE: { StringValue: "NO_RESOURCE" },
    ERROR_MESSAGE: { StringValue: expect.stringContaining("no-such-queue") },
    RULE_ARN: { StringValue: "arn:aws:events:eu-west-1:000000000000:rule/engine/undeliverable" },
    TARGET_ARN: { StringValue: queueArn("no-such-queue") },
  });
});

it("delivers to a FIFO queue with the target's group", async () => {
  const url = await createQueue(clients, "bus.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
  await rule("fifo", { source: ["fifo"] }, { Arn: queueArn("bus.fifo"), SqsParameters: { MessageGroupId: "g" } });
  await publish(entry("fifo"));
  expect((await takeMessage(clients, url)).Attributes?.MessageGroupId).toBe("g");
});

it("lets a local service emit an aws.* event on the default bus", async () => {
  const url = await createQueue(clients, "builds");
  await rule("builds", { source: ["aws.codebuild"], detail: { "project-name": ["web"] } }, { Arn: queueArn("builds") }, "default");
  await endpoint.emit({ source: "aws.codebuild", detailType: "CodeBuild Build State Change", detail: { "project-name": "web" } });
  const event = JSON.parse((await takeMessage(clients, url)).Body ?? "");
  expect(event).toMatchObject({
    source: "aws.codebuild",
    "detail-type": "CodeBuild Build State Change",
    detail: { "project-name": "web" },
  });
});

it("loses the events that a test asks it to lose", async () => {
  const url = await createQueue(clients, "dropped");
  await rule("dropped", { source: ["dropping"] }, { Arn: queueArn("dropped") });
  endpoint.dropEvents((event) => (event.detail as { n: number }).n === 1);
  await publish(entry("dropping", { n: 1 }), entry("dropping", { n: 2 }));
  endpoint.dropEvents(undefined);
  expect(JSON.parse((await takeMessage(clients, url)).Body ?? "").detail).toEqual({ n: 2 });
  expect(await isEmpty(clients, url)).toBe(true);
});

it("keeps rules: described, listed, switched off and on, with their targets", async () => {
  const url = await createQueue(clients, "kept");
  await rule("kept", { source: ["kept"] }, { Arn: queueArn("kept") });
  const named = { Name: "kept", EventBusName };
  expect(await clients.events.send(new DescribeRuleCommand(named))).toMatchObject({
    Arn: "arn:aws:events:eu-west-1:000000000000:rule/engine/kept",
    EventPattern: '{"source":["kept"]}',
    State: "ENABLED",
  });
  const { Rules = [] } = await clients.events.send(new ListRulesCommand({ EventBusName, NamePrefix: "kep" }));
  expect(Rules.map(({ Name }) => Name)).toEqual(["kept"]);

  await clients.events.send(new DisableRuleCommand(named));
  await publish(entry("kept"));
  expect(await isEmpty(clients, url)).toBe(true);
  await clients.events.send(new EnableRuleCommand(named));
  await publish(entry("kept"));
  await takeMessage(clients, url);

  const targets = await clients.events.send(new ListTargetsByRuleCommand({ Rule: "kept", EventBusName }));
  expect(targets.Targets).toEqual([{ Id: "1", Arn: queueArn("kept") }]);
  const missing = new DescribeRuleCommand({ ...named, Name: "missing" });
  expect((await failureOf(clients.events.send(missing))).name).toBe("ResourceNotFoundException");
});

it("refuses a pattern that AWS refuses, and a target that it can't serve", async () => {
  const bad = new PutRuleCommand({ Name: "bad", EventBusName, EventPattern: '{"source":"text"}' });
  expect((await failureOf(clients.events.send(bad))).name).toBe("InvalidEventPatternException");
  await clients.events.send(new PutRuleCommand({ Name: "bad", EventBusName, EventPattern: '{"source":["x"]}' }));
  const Targets = [{ Id: "f", Arn: "arn:aws:lambda:eu-west-1:000000000000:function:f" }];
  const put = await clients.events.send(new PutTargetsCommand({ Rule: "bad", EventBusName, Targets }));
  expect(put).toMatchObject({ FailedEntryCount: 1, FailedEntries: [{ TargetId: "f" }] });
});

describe("a pattern", () => {
  const event = {
    source: "app.web",
    tags: ["x", "y"],
    n: 5,
    gone: null,
    on: true,
    detail: {
      state: "DONE",
      list: [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
      empty: "",
    },
  };
  const yes: [string, object][] = [
    ["an exact value", { source: ["other", "app.web"] }],
    ["a number, a boolean and null", { n: [5], on: [true], gone: [null] }],
    ["one element of an array", { tags: ["y"] }],
    ["a nested field", { detail: { state: ["DONE"] } }],
    ["a prefix", { source: [{ prefix: "app." }] }],
    ["a prefix in any case", { source: [{ prefix: { "equals-ignore-case": "APP." } }] }],
    ["a suffix", { source: [{ suffix: ".web" }] }],
    ["any case", { source: [{ "equals-ignore-case": "APP.WEB" }] }],
    ["a wildcard", { source: [{ wildcard: "a*.w*b" }] }],
    ["anything but a value", { source: [{ "anything-but": "x" }], n: [{ "anything-but": [1, 2] }] }],
    ["anything but a prefix", { source: [{ "anything-but": { prefix: "lib" } }] }],
    ["a field that exists", { detail: { state: [{ exists: true }] } }],
    ["a field that does not exist", { detail: { other: { deep: [{ exists: false }] } } }],
    ["a range of numbers", { n: [{ numeric: [">", 0, "<=", 5] }] }],
    ["an equal number", { n: [{ numeric: ["=", 5] }] }],
    ["one of several", { $or: [{ source: ["x"] }, { n: [{ numeric: [">", 4] }] }] }],
    ["fields of one object in an array", { detail: { list: { a: [3], b: [4] } } }],
    ["an empty text", { detail: { empty: [""] } }],
  ];
  it.each(yes)("matches %s", (_, pattern) => {
    expect(matchesPattern(parsePattern(JSON.stringify(pattern)), event)).toBe(true);
  });

  const no: [string, object][] = [
    ["another value", { source: ["app"] }],
    ["a text where a number is", { n: ["5"] }],
    ["one of two fields", { source: ["app.web"], n: [6] }],
    ["a wildcard's dot as any character", { source: [{ wildcard: "app?web" }] }],
    ["a star that was meant", { source: [{ wildcard: "app\\*" }] }],
    ["anything but what it is", { source: [{ "anything-but": ["app.web"] }] }],
    ["a missing field with anything-but", { nothing: [{ "anything-but": "x" }] }],
    ["an existing field as missing", { n: [{ exists: false }] }],
    ["a number out of range", { n: [{ numeric: [">", 5] }] }],
    ["fields of two different objects in an array", { detail: { list: { a: [1], b: [4] } } }],
    ["none of several", { $or: [{ source: ["x"] }, { n: [4] }] }],
    ["a property that every object inherits", { constructor: [{ exists: true }] }],
  ];
  it.each(no)("does not match %s", (_, pattern) => {
    expect(matchesPattern(parsePattern(JSON.stringify(pattern)), event)).toBe(false);
  });

  it.each([
    "[]",
    "{}",
    "x",
    '{"a":[]}',
    '{"a":1}',
    '{"a":[{"like":"x"}]}',
    '{"a":[{"numeric":[">"]}]}',
    '{"$or":[]}',
    '{"a":[{"prefix":1}]}',
  ])("is refused when it is %s", (text) => {
    expect(() => parsePattern(text)).toThrow("Event pattern is not valid");
  });
});
