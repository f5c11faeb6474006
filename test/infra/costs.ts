import { setTimeout as sleep } from "node:timers/promises";
import { engineFunctions } from "../../blueprint/engine-functions.ts";
import { type Consumer, consumers, schedules } from "../../blueprint/topology.ts";
import { until } from "../support/until.ts";
import { type Call, startRecordedWorld } from "./support/recorded-world.ts";

/**
 * `node test/infra/costs.ts` counts what one deployment and a month of doing nothing ask of AWS, from the calls that the
 * engine really makes on this machine, and multiplies them by AWS's list prices. docs/aws.md quotes what it prints.
 */

/** US dollars, on demand, eu-west-1, without any free tier; to be looked up again before anybody relies on them. */
const price = {
  dynamodbWrite: 0.705 / 1e6,
  dynamodbRead: 0.1415 / 1e6,
  sqs: 0.4 / 1e6,
  events: 1 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  lambdaGbSecond: 0.0000133334,
  s3Put: 0.005 / 1e3,
  s3Get: 0.0004 / 1e3,
  secretCall: 0.05 / 1e4,
  kmsSign: 0.15 / 1e4,
  tableCall: 1 / 1e3,
  buildMinute: 0.00425,
  alarmMonth: 0.1,
  secretMonth: 0.4,
  keyMonth: 1,
  metricMonth: 0.3,
} as const;

/** What alarms are made of that the reconciler says in its log. */
const METRICS = 3;
const MONTH_SECONDS = 30 * 24 * 3600;
/** About so many messages reach a consumer for one deployment: each is sent, received and deleted. */
const MESSAGES = 60;
/** Lambda keeps so many requests waiting at each queue that it reads, each for twenty seconds. */
const POLLERS = 5;
const POLL_SECONDS = 20;

type Kind = keyof typeof price;
const kindOf = ({ client, command }: Call): Kind | undefined => {
  const reads = /^(Get|Query|List|Head|Describe|BatchGet)/.test(command);
  switch (client) {
    case "DynamoDBClient":
    case "DynamoDBDocumentClient":
      return reads ? "dynamodbRead" : "dynamodbWrite";
    case "SQSClient":
      return "sqs";
    case "EventBridgeClient":
      return "events";
    case "S3Client":
      return reads ? (command.startsWith("List") ? "s3Put" : "s3Get") : "s3Put";
    case "SecretsManagerClient":
      return "secretCall";
    case "KMSClient":
      return "kmsSign";
    case "CloudFrontKeyValueStoreClient":
      return "tableCall";
    default:
      return undefined; // Lambda's, CodeBuild's and CloudFront's control planes cost nothing
  }
};

const world = await startRecordedWorld();
try {
  const calls = (by?: readonly string[]) => world.calls.filter((call) => by === undefined || by.includes(call.by));
  const timers: readonly string[] = schedules.map(({ name }) => name);

  // what runs on a timer, of an engine with one site and nothing to do
  await until(
    "the reconciler to have run twice",
    () => calls(["reconcile"]).filter(({ command }) => /AccountSettings/.test(command)).length > 1,
  );
  const runs = calls(["reconcile"]).filter(({ command }) => /AccountSettings/.test(command)).length;
  const idle = new Map(timers.map((name) => [name, { calls: calls([name]), runs: name === "reconcile" ? runs : 1 }]));

  const before = world.calls.length;
  const id = (await world.api.deploy("web", "production", await world.api.upload("web", `${world.folder}/app`))).id;
  await until("it to be live", async () => (await world.api.deployment(id)).status === "success");
  await sleep(1_000); // what follows the last event: projections and news
  const deployment = world.calls.slice(before).filter(({ by }) => !timers.includes(by) && by !== "api");
  print(deployment, idle);
} finally {
  await world.close();
}

function count(all: readonly Call[]): Map<Kind, number> {
  const counted = new Map<Kind, number>();
  for (const call of all) {
    const kind = kindOf(call);
    if (kind !== undefined) counted.set(kind, (counted.get(kind) ?? 0) + 1);
  }
  // a commit is written to the table and to its index
  counted.set("dynamodbWrite", 2 * (counted.get("dynamodbWrite") ?? 0));
  return counted;
}

function print(deployment: readonly Call[], idle: ReadonlyMap<string, { calls: readonly Call[]; runs: number }>): void {
  const line = (what: string, number: number, dollars: number): void =>
    console.log(`  ${what.padEnd(34)}${number.toFixed(0).padStart(12)}${dollars.toFixed(5).padStart(12)}`);
  const total = (all: ReadonlyMap<Kind, number>, times = 1): number => {
    let sum = 0;
    for (const [kind, number] of all) {
      line(kind, number * times, number * times * price[kind]);
      sum += number * times * price[kind];
    }
    return sum;
  };

  console.log("one deployment                              calls           $");
  let sum = total(count(deployment));
  const invocations = deployment.filter(({ command }) => command === "Invoke").length + MESSAGES;
  const gbSeconds = MESSAGES * 0.25 + 20 * 2;
  line("sqs", 3 * MESSAGES, 3 * MESSAGES * price.sqs);
  line("lambdaRequest", invocations, invocations * price.lambdaRequest);
  line("lambdaGbSecond", gbSeconds, gbSeconds * price.lambdaGbSecond);
  sum += invocations * price.lambdaRequest + gbSeconds * price.lambdaGbSecond;
  console.log(`  without the build${sum.toFixed(5).padStart(41)}`);
  console.log(`  and 3 minutes of build${(sum + 3 * price.buildMinute).toFixed(5).padStart(36)}`);

  console.log("\na month of doing nothing, one site          calls           $");
  let month = 0;
  for (const { name, everySeconds, memoryMb } of schedules) {
    const runs = MONTH_SECONDS / everySeconds;
    console.log(` ${name}, ${runs} runs`);
    const seen = idle.get(name);
    month += total(count(seen?.calls ?? []), runs / (seen?.runs ?? 1));
    line("lambdaRequest", runs, runs * price.lambdaRequest);
    line("lambdaGbSecond (0.5 s each)", (runs * memoryMb) / 2048, ((runs * memoryMb) / 2048) * price.lambdaGbSecond);
    month += runs * price.lambdaRequest + ((runs * memoryMb) / 2048) * price.lambdaGbSecond;
  }
  const queues = (consumers as readonly Consumer[]).length + 1;
  const polls = (queues * POLLERS * MONTH_SECONDS) / POLL_SECONDS;
  console.log(` Lambda waiting at ${queues} queues`);
  line("sqs", polls, polls * price.sqs);
  const alarms = 3 * consumers.length + 1 + 4;
  console.log(" kept");
  line("alarmMonth", alarms, alarms * price.alarmMonth);
  line("secretMonth", 1, price.secretMonth);
  line("keyMonth", 1, price.keyMonth);
  line("metricMonth", METRICS, METRICS * price.metricMonth);
  month += polls * price.sqs + alarms * price.alarmMonth + price.secretMonth + price.keyMonth + METRICS * price.metricMonth;
  console.log(`  together${month.toFixed(2).padStart(50)}   (${engineFunctions.length} functions at rest cost nothing)`);
}
