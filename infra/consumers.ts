import { batchesAtOnce } from "../blueprint/concurrency.ts";
import { componentName } from "../blueprint/engine-functions.ts";
import {
  type Consumer,
  deadLetterName,
  consumers as declared,
  queueMaxReceives,
  queueName,
  ruleName,
  visibilitySeconds,
} from "../blueprint/topology.ts";
import { concurrencyQuota } from "./account.ts";
import { bus } from "./bus.ts";
import { engineFunction } from "./engine-function.ts";
import { unshared } from "./event-store.ts";
import { queueWithDeadLetters } from "./queue.ts";

/** The rule that puts matching events into the queue. What it cannot deliver goes to the consumer's own dead letters. */
const subscribe = (title: string, consumer: Consumer, pattern: object, queue: sst.aws.Queue, dead: sst.aws.Queue): void => {
  const rule = new aws.cloudwatch.EventRule(
    `${title}Rule`,
    {
      name: ruleName(consumer.name),
      description: `What ${consumer.name} reacts to`,
      ...(consumer.bus === "engine" && { eventBusName: bus.name }),
      eventPattern: JSON.stringify(pattern),
      state: "ENABLED",
    },
    unshared,
  );
  const policies = [queue, dead].map(
    (target, index) =>
      new aws.sqs.QueuePolicy(`${title}${index === 0 ? "" : "Dead"}QueuePolicy`, {
        queueUrl: target.url,
        policy: $jsonStringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "events.amazonaws.com" },
              Action: "sqs:SendMessage",
              Resource: target.arn,
              Condition: { ArnEquals: { "aws:SourceArn": rule.arn } },
            },
          ],
        }),
      }),
  );
  new aws.cloudwatch.EventTarget(
    `${title}Target`,
    {
      rule: rule.name,
      ...(consumer.bus === "engine" && { eventBusName: bus.name }),
      targetId: "queue",
      arn: queue.arn,
      deadLetterConfig: { arn: dead.arn },
    },
    { dependsOn: policies },
  );
};

/** Each consumer of the topology: its queue, its dead letters, its function, and the rule that feeds it. */
export const consumers = (declared as readonly Consumer[]).map((consumer) => {
  const title = componentName(consumer.name);
  const { queue, dead } = queueWithDeadLetters(`${title}Queue`, {
    name: queueName(consumer.name),
    deadLetters: deadLetterName(consumer.name),
    visibilitySeconds: visibilitySeconds(consumer),
    maxReceives: queueMaxReceives(consumer),
  });
  if (consumer.pattern !== null) subscribe(title, consumer, consumer.pattern, queue, dead);
  const fn = engineFunction(consumer);
  new aws.lambda.EventSourceMapping(`${title}Mapping`, {
    eventSourceArn: queue.arn,
    functionName: fn.name,
    batchSize: consumer.batchSize,
    functionResponseTypes: ["ReportBatchItemFailures"],
    scalingConfig: { maximumConcurrency: concurrencyQuota.apply((quota) => batchesAtOnce(consumer, quota)) },
  });
  return { name: consumer.name, queue, dead, fn };
});
