import { isDeepStrictEqual } from "node:util";
import { functionName, relay, scheduleName } from "../../../blueprint/engine-functions.ts";
import { BUS, type Consumer, consumers, queueName, ruleName, schedules } from "../../../blueprint/topology.ts";
import { all, type Graph, type Resource, type Statement, statements } from "./graph.ts";

/** What must hold in every stage: each check answers what is wrong, a sentence each, and nothing where all is well. */
type Check = (graph: Graph) => string[];

/** A bundle is loaded at every cold start. */
const MAX_BYTES = 1_500_000;
/** The API's has the dashboard in it, and asks S3 and Lambda for what two releases are compared by. */
const MAX_BYTES_OF_API = 1_700_000;

const handlers: Check = ({ builds }) =>
  builds.flatMap(({ handler, errors, bytes }) => {
    const most = handler.includes("services/api/") ? MAX_BYTES_OF_API : MAX_BYTES;
    return [...errors.map((error) => `${handler}: ${error}`), ...(bytes > most ? [`${handler} is ${bytes} bytes, above ${most}`] : [])];
  });

type Redrive = { deadLetterTargetArn: string; maxReceiveCount: number };
const redriveOf = ({ inputs }: Resource): Redrive | undefined =>
  inputs.redrivePolicy === undefined ? undefined : (JSON.parse(inputs.redrivePolicy) as Redrive);

const deadLetters: Check = (graph) => {
  const queues = all(graph, "queue");
  const targets = new Set(queues.map((queue) => redriveOf(queue)?.deadLetterTargetArn));
  return queues.flatMap((queue) => {
    if (targets.has(queue.outputs.arn)) return [];
    const dead = queues.find(({ outputs }) => outputs.arn === redriveOf(queue)?.deadLetterTargetArn);
    if (dead === undefined) return [`the queue ${queue.inputs.name} has no dead-letter queue`];
    return dead.inputs.messageRetentionSeconds > queue.inputs.messageRetentionSeconds
      ? []
      : [`the dead letters of ${queue.inputs.name} are not kept longer than its messages`];
  });
};

/** "…:function:name:alias", "name:alias" or "name" → the name. */
const nameOf = (fn: string): string => fn.replace(/^.*:function:/, "").replace(/:.*$/, "");
const isOfQueue = ({ inputs }: Resource): boolean => String(inputs.eventSourceArn).includes(":sqs:");

const visibility: Check = (graph) =>
  all(graph, "mapping")
    .filter(isOfQueue)
    .flatMap(({ inputs }) => {
      const queue = all(graph, "queue").find(({ outputs }) => outputs.arn === inputs.eventSourceArn);
      const name = nameOf(inputs.functionName);
      const fn = all(graph, "function").find(({ inputs: { name: own } }) => own === name);
      if (queue === undefined || fn === undefined)
        return [`a mapping leads from ${inputs.eventSourceArn} to ${name}, and one is not there`];
      const needed = 6 * fn.inputs.timeout + (inputs.maximumBatchingWindowInSeconds ?? 0);
      const { visibilityTimeoutSeconds: hidden } = queue.inputs;
      return hidden >= needed ? [] : [`${queue.inputs.name} hides a message for ${hidden} s, and ${name} needs ${needed} s`];
    });

const partialFailures: Check = (graph) =>
  all(graph, "mapping").flatMap(({ name, inputs }) =>
    inputs.functionResponseTypes?.includes("ReportBatchItemFailures") ? [] : [`the mapping ${name} does not report partial failures`],
  );

const readersOf = (graph: Graph, source: string): string[] =>
  all(graph, "mapping")
    .filter(({ inputs }) => inputs.eventSourceArn === source)
    .map(({ inputs }) => nameOf(inputs.functionName))
    .sort();

const consumerProblems = (graph: Graph, { name, bus, pattern }: Consumer): string[] => {
  const problems: string[] = [];
  const queues = all(graph, "queue").filter(({ inputs }) => inputs.name === queueName(name));
  const rules = all(graph, "rule").filter(({ inputs }) => inputs.name === ruleName(name));
  const [queue] = queues;
  if (queue === undefined || queues.length > 1) return [`${name} has ${queues.length} queues`];
  const readers = readersOf(graph, queue.outputs.arn);
  if (!isDeepStrictEqual(readers, [functionName(name)])) problems.push(`the queue of ${name} is read by ${readers.join(", ") || "nobody"}`);
  if (pattern === null) return rules.length === 0 ? problems : [...problems, `${name} has a rule, and the topology gives it none`];

  const [rule] = rules;
  if (rule === undefined || rules.length > 1) return [...problems, `${name} has ${rules.length} rules`];
  if (!isDeepStrictEqual(JSON.parse(rule.inputs.eventPattern), pattern)) problems.push(`the rule of ${name} has another pattern`);
  if (rule.inputs.state !== "ENABLED") problems.push(`the rule of ${name} is not enabled`);
  if ((rule.inputs.eventBusName ?? "default") !== (bus === "engine" ? BUS : "default"))
    problems.push(`the rule of ${name} is on another bus`);
  const targets = all(graph, "target").filter(({ inputs }) => inputs.rule === rule.inputs.name);
  if (targets.length !== 1 || targets[0]?.inputs.arn !== queue.outputs.arn)
    problems.push(`the rule of ${name} does not lead to its queue alone`);
  return problems;
};

const topology: Check = (graph) => {
  const listed = new Set([...consumers.map(({ name }) => ruleName(name)), ...schedules.map(({ name }) => scheduleName(name))]);
  const streams = all(graph, "table").flatMap(({ outputs }) => (outputs.streamArn ? [outputs.streamArn as string] : []));
  const readers = streams.flatMap((stream) => readersOf(graph, stream));
  return [
    ...(consumers as readonly Consumer[]).flatMap((consumer) => consumerProblems(graph, consumer)),
    ...all(graph, "rule").flatMap(({ inputs }) => (listed.has(inputs.name) ? [] : [`the rule ${inputs.name} is not in the topology`])),
    ...(isDeepStrictEqual(readers, [functionName(relay.name)])
      ? []
      : [`the event table's stream is read by ${readers.join(", ") || "nobody"}`]),
  ];
};

/** AWS knows no narrower resource for these. */
const WITHOUT_RESOURCE = ["lambda:GetAccountSettings", "dynamodb:ListStreams"];

const statementProblems = (role: string, { Action, Resource }: Statement): string[] => [
  ...Action.filter((action) => action.includes("*")).map((action) => `${role} may do ${action}`),
  ...(Resource.includes("*") ? Action.filter((action) => !WITHOUT_RESOURCE.includes(action)) : []).map(
    (action) => `${role} may do ${action} on everything`,
  ),
];

const roles: Check = (graph) => {
  const functions = all(graph, "function");
  return [
    ...all(graph, "role").flatMap((role) => [
      ...statements(role).flatMap((statement) => statementProblems(role.name, statement)),
      ...((role.inputs.managedPolicyArns ?? []).length > 0 ? [`${role.name} has managed policies, whose rights are AWS's to change`] : []),
    ]),
    ...functions.flatMap(({ inputs }, place) => {
      const other = functions.slice(0, place).find((before) => before.inputs.role === inputs.role);
      return other === undefined ? [] : [`${other.inputs.name} and ${inputs.name} share a role`];
    }),
  ];
};

/** What cannot be made again stays when production is removed, and a throw-away stage leaves nothing. */
const retention: Check = (graph) => {
  const production = graph.app.stage === "production";
  const kept = (["table", "bucket", "key", "secret"] as const).flatMap((kind) => all(graph, kind));
  return [
    ...kept.flatMap(({ name, retainOnDelete }) =>
      retainOnDelete === production ? [] : [production ? `${name} goes with the stage` : `${name} stays after the stage is gone`],
    ),
    ...all(graph, "table").flatMap(({ name, inputs }) => [
      ...(inputs.deletionProtectionEnabled === production ? [] : [`${name} has deletion protection ${inputs.deletionProtectionEnabled}`]),
      // a name that is erased is in no backup either
      ...(inputs.pointInTimeRecovery?.enabled === !/^shiplog(-\w+)?-people$/.test(inputs.name ?? "")
        ? []
        : [`${name} can${inputs.pointInTimeRecovery?.enabled ? "" : "not"} be restored to an earlier second`]),
    ]),
    ...all(graph, "bucket").flatMap(({ name, inputs }) =>
      inputs.forceDestroy === !production ? [] : [`${name} has forceDestroy ${inputs.forceDestroy}`],
    ),
    ...(graph.app.protect === production ? [] : [`the stage's own protection is ${graph.app.protect}`]),
  ];
};

const BY_RELEASES = [
  "architectures",
  "code",
  "environment",
  "handler",
  "memorySize",
  "s3Bucket",
  "s3Key",
  "s3ObjectVersion",
  "sourceCodeHash",
  "timeout",
];
const BY_FLIPS = ["description", "functionVersion", "routingConfig"];

/** A deployment of the infrastructure must not undo a release: what releases and flips decide is not compared. */
const releases: Check = (graph) => {
  const missing = (resource: Resource, wanted: readonly string[], what: string): string[] =>
    wanted
      .filter((field) => !resource.ignoreChanges.includes(field))
      .map((field) => `${what} ${resource.name} would get back its ${field}`);
  const aliases = all(graph, "alias");
  const ofSites = new Set(aliases.map(({ inputs }) => inputs.functionName));
  return [
    ...all(graph, "function")
      .filter(({ inputs }) => ofSites.has(inputs.name))
      .flatMap((fn) => missing(fn, BY_RELEASES, "the function")),
    ...aliases.flatMap((alias) => missing(alias, BY_FLIPS, "the alias")),
  ];
};

/** As CloudFront takes them: a distribution's behaviours with the default one, and a function's code. */
const MAX_BEHAVIORS = 75;
const MAX_FUNCTION_BYTES = 10_240;

/** What runs on an event of a distribution's behaviours; one where all have the same. */
const functionsOf = (behaviors: readonly Resource["inputs"][], event: string): string[] => {
  const named = behaviors.map(({ functionAssociations = [] }) =>
    (functionAssociations as { eventType: string; functionArn: string }[])
      .filter(({ eventType }) => eventType === event)
      .map(({ functionArn }) => functionArn)
      .join(),
  );
  return [...new Set(named)];
};

/** Every request to an edge goes through a router, which looks into a table that the engine writes. */
const edges: Check = (graph) => {
  const tables = all(graph, "edgeTable").map(({ outputs }) => outputs.arn as string);
  const namers = all(graph, "router").filter(({ name }) => name.startsWith("EdgeHeader"));
  const routers = all(graph, "router").filter((one) => !namers.includes(one));
  return [
    ...routers.flatMap(({ name, inputs }) => {
      const [table, ...more] = (inputs.keyValueStoreAssociations ?? []) as string[];
      const bytes = Buffer.byteLength(inputs.code);
      return [
        ...(table !== undefined && more.length === 0 && tables.includes(table) ? [] : [`${name} looks into no table, or into several`]),
        ...(routers.some((other) => other.name !== name && other.inputs.keyValueStoreAssociations?.includes(table))
          ? [`${name} shares its table`]
          : []),
        ...(inputs.runtime === "cloudfront-js-2.0" ? [] : [`${name} runs on ${inputs.runtime}, which knows no table`]),
        ...(bytes <= MAX_FUNCTION_BYTES ? [] : [`${name} has ${bytes} bytes, above ${MAX_FUNCTION_BYTES}`]),
      ];
    }),
    ...all(graph, "distribution").flatMap(({ name, inputs }) => {
      const behaviors = [inputs.defaultCacheBehavior, ...inputs.orderedCacheBehaviors] as Resource["inputs"][];
      const [router = "", ...others] = functionsOf(behaviors, "viewer-request");
      const [namer = "", ...differing] = functionsOf(behaviors, "viewer-response");
      return [
        ...(differing.length === 0 && (namer === "" || namers.some(({ outputs }) => outputs.arn === namer))
          ? []
          : [`${name} names the release on some answers alone`]),
        ...(others.length === 0 && routers.some(({ outputs }) => outputs.arn === router)
          ? []
          : [`${name} has behaviours that one router does not see`]),
        ...(behaviors.length <= MAX_BEHAVIORS ? [] : [`${name} has ${behaviors.length} behaviours, above ${MAX_BEHAVIORS}`]),
        ...(inputs.origins.some(({ originId }: { originId: string }) => originId === "files") ? [] : [`${name} has no origin "files"`]),
      ];
    }),
  ];
};

export const checks = { handlers, deadLetters, visibility, partialFailures, topology, roles, retention, releases, edges };

/** Every role's rights as text, to be read by a person when they change. */
export const listRights = (graph: Graph): string =>
  all(graph, "role")
    .map((role) =>
      [
        role.name,
        ...statements(role).flatMap(({ Effect, Action, Resource, Condition }) => [
          `  ${Effect === "Deny" ? "never " : ""}${Action.join(" ")}`,
          ...Resource.map((arn) => `    ${arn}`),
          ...(Condition === undefined ? [] : [`    when ${JSON.stringify(Condition)}`]),
        ]),
      ].join("\n"),
    )
    .sort()
    .join("\n\n");
