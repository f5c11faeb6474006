import { componentName, functionName, reconciledLine } from "../blueprint/engine-functions.ts";
import { PREFIX } from "../blueprint/prefix.ts";
import { revalidation } from "../blueprint/site-resources.ts";
import { consumers } from "./consumers.ts";
import { relay } from "./relay.ts";
import { schedules } from "./schedules.ts";
import { environments } from "./sites.ts";

/** Where alarms go. SHIPLOG_ALARM_EMAIL is asked by AWS to confirm; anything else subscribes to the topic itself. */
const topic = new sst.aws.SnsTopic("Alarms");
const email = process.env.SHIPLOG_ALARM_EMAIL;
if (email !== undefined) new aws.sns.TopicSubscription("AlarmsEmail", { topic: topic.arn, protocol: "email", endpoint: email });

type Alarm = {
  readonly description: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions?: Record<string, $util.Input<string>>;
  readonly statistic: string;
  readonly above: number;
  readonly periodSeconds: number;
  readonly periods?: number;
  readonly missing?: "notBreaching" | "breaching";
};

const alarm = (name: string, { above, periodSeconds, periods = 1, missing = "notBreaching", description, ...metric }: Alarm): void => {
  new aws.cloudwatch.MetricAlarm(`${name}Alarm`, {
    alarmDescription: description,
    ...metric,
    comparisonOperator: "GreaterThanThreshold",
    threshold: above,
    period: periodSeconds,
    evaluationPeriods: periods,
    treatMissingData: missing,
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
};

const deadLetters = (title: string, description: string, queue: sst.aws.Queue, above = 0): void =>
  alarm(`${title}DeadLetters`, {
    description,
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: queue.nodes.queue.name },
    statistic: "Maximum",
    above,
    periodSeconds: 60,
  });
for (const { name, dead } of consumers)
  deadLetters(componentName(name), `Messages that ${name} could not take are in its dead letters: shiplog quarantine ls`, dead);
for (const { name, queue } of consumers)
  alarm(`${componentName(name)}Age`, {
    // SQS leaves out what was received three times: what fails again and again is told by its dead letters
    description: `Nothing has taken a message out of the queue of ${name} for half an hour. See the log of ${functionName(name)}`,
    namespace: "AWS/SQS",
    metricName: "ApproximateAgeOfOldestMessage",
    dimensions: { QueueName: queue.nodes.queue.name },
    statistic: "Maximum",
    above: 30 * 60,
    periodSeconds: 300,
  });
for (const { name } of consumers)
  alarm(`${componentName(name)}Loop`, {
    description: `Lambda took messages of ${functionName(name)} for a loop and stopped them: they are in its dead letters: shiplog quarantine ls`,
    namespace: "AWS/Lambda",
    metricName: "RecursiveInvocationsDropped",
    dimensions: { FunctionName: functionName(name) },
    statistic: "Sum",
    above: 0,
    periodSeconds: 300,
  });
for (const { title, site, environment, deadLetters: dead } of environments)
  deadLetters(
    `${title}Revalidation`,
    `More than ${revalidation.deadLettersMax} pages of ${site.name}/${environment} could not be confirmed as made again: shiplog events --dead-letters, and docs/features.md for what OpenNext never confirms`,
    dead,
    revalidation.deadLettersMax,
  );

alarm("IteratorAge", {
  description: "Events reach the bus more than five minutes late: the relay fails or is throttled",
  namespace: "AWS/Lambda",
  metricName: "IteratorAge",
  dimensions: { FunctionName: relay.name },
  statistic: "Maximum",
  above: 5 * 60_000,
  periodSeconds: 60,
  periods: 2,
});

const reconcile = schedules.find(({ name }) => name === "reconcile")?.fn;
if (reconcile === undefined) throw new Error("blueprint/topology.ts has no schedule `reconcile`, which alarms are taken from");
const reconcileLog = $output(reconcile.nodes.logGroup).apply((group) => group?.name ?? $output(""));

/** Of the stage's own figures: another stage of the account has its own. */
const NAMESPACE = PREFIX.replace("shiplog", "Shiplog");

/** What the reconciler says in a line of its log after every run, as a metric of Shiplog's own. */
const reconciled = (name: string, value: string): { namespace: string; metricName: string } => {
  const metric = { namespace: NAMESPACE, metricName: name };
  new aws.cloudwatch.LogMetricFilter(`${name}Figure`, {
    logGroupName: reconcileLog,
    pattern: `{ $.message = "${reconciledLine.message}" }`,
    metricTransformation: { name: metric.metricName, namespace: metric.namespace, value },
  });
  return metric;
};
alarm("StuckDeployment", {
  ...reconciled("OldestStepMinutes", `$.${reconciledLine.oldestStepMinutes}`),
  description: "A deployment has not gone on for an hour, or the reconciler does not run",
  statistic: "Maximum",
  above: 60,
  periodSeconds: 300,
  periods: 3,
  missing: "breaching",
});

alarm("Overdue", {
  ...reconciled("OverdueMinutes", `$.${reconciledLine.overdueMinutes}`),
  description: `What waits for its time (a webhook's next attempt, a build without room) is a quarter of an hour late: ${functionName("wake")} fails or does not run`,
  statistic: "Maximum",
  above: 15,
  periodSeconds: 300,
  periods: 2,
});

alarm("CodeStorage", {
  ...reconciled("CodeStoragePercent", `$.${reconciledLine.codeStoragePercent}`),
  description: "Versions of Lambda functions use four fifths of the region's code storage: sweep old ones or ask AWS for more",
  statistic: "Maximum",
  above: 80,
  periodSeconds: 3600,
});

export const outputs = { alarms: topic.arn };
