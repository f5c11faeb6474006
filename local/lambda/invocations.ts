import { randomUUID } from "node:crypto";
import { AwsError } from "../http.ts";
import type { CodeStore } from "./code-store.ts";
import type { CountedFleet } from "./concurrency.ts";
import { functionArn, functionReference, isVersionNumber, LATEST } from "./names.ts";
import { type Call, type Operations, referenceOf } from "./operation.ts";
import { type Alias, type FunctionRecord, findAlias, fingerprint, type Snapshot, versionOf } from "./records.ts";
import { conflict, malformed, notFound } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { wholeOf } from "./streamed-response.ts";
import type { Invocation, Task } from "./task.ts";

/** Bytes of a synchronous invocation's payload. */
const PAYLOAD_LIMIT = 6_291_456;

/** Where an invocation goes, decided once: whatever happens to the alias later, it runs on this version. */
export type Destination = { readonly task: Task; readonly arn: string; readonly description: string };

/** Decides which version answers `name:qualifier` at this moment. 409 when that version is not Active yet. */
export const destinationOf = (registry: Registry, code: CodeStore, functionName: string, beside?: string | null): Destination => {
  const { name, qualifier } = functionReference(functionName, beside);
  const record = registry.get(name);
  const named = !qualifier || qualifier === LATEST || isVersionNumber(qualifier);
  const alias = named ? undefined : findAlias(record, qualifier);
  if (!named && !alias) throw notFound(`Function not found: ${functionArn(name, qualifier)}`);
  const snapshot = versionOf(record, alias ? pick(alias) : (qualifier ?? LATEST));
  if (snapshot.state === "Pending") {
    throw conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending");
  }
  return { task: taskOf(record, snapshot, code), arn: functionArn(name, qualifier), description: alias?.description ?? "" };
};

const pick = ({ functionVersion, weights }: Alias): string => {
  const [other] = Object.entries(weights);
  return other && Math.random() < other[1] ? other[0] : functionVersion;
};

export const invocationOf = ({ arn }: Pick<Destination, "arn">, payload: Buffer): Invocation => ({ requestId: randomUUID(), arn, payload });

/** While an update of `$LATEST` is in progress, its old code answers. */
const taskOf = ({ name }: FunctionRecord, snapshot: Snapshot, code: CodeStore): Task => {
  const content = snapshot.serving ?? snapshot;
  return {
    key: `${name}:${snapshot.version}:${fingerprint(content)}`,
    functionName: name,
    version: snapshot.version,
    configuration: content.configuration,
    taskRoot: code.taskRoot(content.code),
  };
};

/** The Invoke operation over HTTP. */
export const invocationOperations = (
  registry: Registry,
  code: CodeStore,
  fleet: CountedFleet,
  log: (functionName: string, version: string, line: string) => void,
): Operations => {
  /** Once, as soon as there is room, without the retries and dead letters that AWS adds. */
  const runLater = ({ task, arn }: Destination, payload: Buffer): void => {
    const outcome = fleet.runWhenFree(task, invocationOf({ arn }, payload)).then(wholeOf);
    outcome.then(
      ({ functionError, payload }) => functionError && log(task.functionName, task.version, `asynchronous invocation failed: ${payload}`),
      () => log(task.functionName, task.version, "asynchronous invocation lost: the local Lambda was stopped"),
    );
  };

  return {
    async Invoke(call: Call) {
      const { name, qualifier } = referenceOf(call);
      const destination = destinationOf(registry, code, name, qualifier);
      const executed = { "x-amz-executed-version": destination.task.version };
      checkPayload(call.body);
      switch (call.headers["x-amz-invocation-type"] ?? "RequestResponse") {
        case "DryRun":
          return { status: 204, headers: executed };
        case "Event":
          runLater(destination, call.body);
          return { status: 202, headers: executed };
        case "RequestResponse": {
          const reply = await fleet.run(destination.task, invocationOf(destination, call.body));
          const { payload, functionError } = await wholeOf(reply);
          const log = call.headers["x-amz-log-type"] === "Tail" ? await reply.log() : undefined;
          const contentType = "contentType" in reply && !functionError ? reply.contentType : "application/json";
          return {
            status: 200,
            headers: {
              ...executed,
              "content-type": contentType,
              ...(functionError && { "x-amz-function-error": functionError }),
              ...(log !== undefined && { "x-amz-log-result": Buffer.from(log).toString("base64") }),
            },
            body: payload,
          };
        }
        default:
          throw malformed("Value at 'invocationType' must be RequestResponse, Event or DryRun");
      }
    },
  };
};

const checkPayload = (payload: Buffer): void => {
  if (payload.length > PAYLOAD_LIMIT) {
    throw new AwsError(
      "RequestTooLargeException",
      413,
      `${payload.length} byte payload is too large for the Invoke operation (limit ${PAYLOAD_LIMIT} bytes)`,
    );
  }
  if (payload.length === 0) return;
  try {
    JSON.parse(payload.toString("utf8"));
  } catch {
    throw new AwsError("InvalidRequestContentException", 400, "Could not parse request body into json");
  }
};
