import { all, type Graph, statements } from "./graph.ts";
import type { World } from "./world.ts";

const nameOfArn = (arn: string): string => arn.slice(arn.lastIndexOf(":") + 1);
const named = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> => Object.fromEntries(entries);
const KEY_TYPES: Record<string, string> = { S: "string", N: "number" };

/** What the graph says would be on AWS. */
export const awsWorld = (graph: Graph): World => ({
  queues: named(
    all(graph, "queue").map(({ inputs }) => {
      const redrive = inputs.redrivePolicy === undefined ? undefined : JSON.parse(inputs.redrivePolicy);
      return [
        inputs.name,
        {
          fifo: inputs.fifoQueue === true,
          // of dead letters nobody reads, it says nothing
          visibilitySeconds: redrive === undefined ? null : Number(inputs.visibilityTimeoutSeconds),
          retentionSeconds: Number(inputs.messageRetentionSeconds),
          deadLetters: redrive === undefined ? null : nameOfArn(redrive.deadLetterTargetArn),
          maxReceives: redrive === undefined ? null : redrive.maxReceiveCount,
        },
      ];
    }),
  ),
  rules: named(
    all(graph, "rule")
      .filter(({ inputs }) => inputs.eventPattern !== undefined)
      .map(({ inputs }) => [
        inputs.name,
        {
          bus: inputs.eventBusName ?? "default",
          enabled: inputs.state === "ENABLED",
          pattern: JSON.parse(inputs.eventPattern),
          targets: all(graph, "target")
            .filter(({ inputs: { rule } }) => rule === inputs.name)
            .map(({ inputs: { arn, deadLetterConfig } }) => [nameOfArn(arn), nameOfArn(deadLetterConfig.arn)]),
        },
      ]),
  ),
  tables: named(
    all(graph, "table").map(({ inputs }) => [
      inputs.name,
      {
        keys: named((inputs.attributes as { name: string; type: string }[]).map(({ name, type }) => [name, KEY_TYPES[type] ?? type])),
        primary: [inputs.hashKey, inputs.rangeKey],
        indexes: named(
          ((inputs.globalSecondaryIndexes ?? []) as { name: string; hashKey: string; rangeKey: string; projectionType: string }[]).map(
            ({ name, hashKey, rangeKey, projectionType }) => [name, [hashKey, rangeKey, projectionType]],
          ),
        ),
        stream: inputs.streamEnabled ? inputs.streamViewType : null,
        expires: inputs.ttl?.enabled ? inputs.ttl.attributeName : null,
      },
    ]),
  ),
  buckets: all(graph, "bucket")
    .map(({ inputs }) => String(inputs.bucket).replace(/-\d{12}-[a-z]+-[a-z]+-\d$/, ""))
    .sort(),
  siteFunctions: named(
    all(graph, "alias").map(({ inputs }) => {
      const fn = all(graph, "function").find((one) => one.inputs.name === inputs.functionName)?.inputs;
      return [
        inputs.functionName,
        {
          runtime: fn?.runtime,
          memoryMb: fn?.memorySize,
          timeoutSeconds: fn?.timeout,
          alias: [inputs.name, inputs.description],
          url: all(graph, "url").find((url) => url.inputs.functionName === inputs.functionName && url.inputs.qualifier === inputs.name)
            ?.inputs.invokeMode,
          reads: all(graph, "mapping")
            .filter((mapping) => mapping.inputs.functionName.endsWith(`:${inputs.functionName}:${inputs.name}`))
            .map((mapping) => [nameOfArn(mapping.inputs.eventSourceArn), mapping.inputs.batchSize]),
        },
      ];
    }),
  ),
});

/** What each role may do, by its name. */
export const rightsByRole = (graph: Graph): Record<string, unknown> =>
  named(all(graph, "role").map((role) => [role.name, statements(role)]));
