import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type AccountLimits, USUAL_ACCOUNT } from "../account-limits.ts";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from "../http.ts";
import { openRecordStore } from "../record-store.ts";
import { accountOperations } from "./account.ts";
import { aliasOperations } from "./aliases.ts";
import { callRate } from "./call-rate.ts";
import { openCodeStore } from "./code-store.ts";
import { type Concurrency, counted, openConcurrency } from "./concurrency.ts";
import { type EventSourceMapping, eventSourceOperations } from "./event-sources.ts";
import { openFleet } from "./fleet.ts";
import { functionOperations } from "./functions.ts";
import { destinationOf, invocationOf, invocationOperations } from "./invocations.ts";
import { LATEST } from "./names.ts";
import type { Operations } from "./operation.ts";
import { policyOperations } from "./policies.ts";
import { aliasesOn, type FunctionRecord, findAlias, fingerprint, type Tombstone } from "./records.ts";
import { refusalAnswer, tooManyCalls } from "./refusals.ts";
import { openRegistry } from "./registry.ts";
import { routeOf } from "./routes.ts";
import { startRuntimeApi } from "./runtime-api.ts";
import type { Quiet } from "./sandbox.ts";
import { inMode, wholeOf } from "./streamed-response.ts";
import type { Flow } from "./task.ts";
import { urlOperations } from "./urls.ts";
import { versionOperations } from "./versions.ts";

/** Lambda on this machine: the control plane's API and the processes that run the functions. */
export type LocalLambda = {
  /** Answers every path of the Lambda API. AWS's errors are answered in Lambda's own form, not thrown. */
  handle: AwsService;
  /**
   * Runs `functionName:qualifier` without HTTP, for who has begun it in `concurrency`. A function's own failure is a value
   * (`functionError`); throws `AwsError` when there is no such version or it is not Active yet.
   */
  invoke(functionName: string, qualifier: string, payload: Buffer | string): Promise<Invoked>;
  /**
   * Runs it (without a qualifier, `$LATEST`) as its function URL does, in that URL's invoke mode. What a handler streams comes
   * as a flow, in either mode. Throws `TooManyRequests` where as many run as the account may have.
   */
  request(functionName: string, qualifier: string | undefined, event: object): Promise<Requested>;
  /** The alias as it is at this moment, in one piece; undefined when there is none. */
  alias(functionName: string, alias: string): { functionVersion: string; description: string; revisionId: string } | undefined;
  /** Whom a function URL's id belongs to, and who may ask it; `qualifier` undefined means `$LATEST`. */
  functionUrl(urlId: string): { functionName: string; qualifier: string | undefined; authType: string } | undefined;
  /** The event source mappings at this moment, for whoever polls the sources. */
  mappings(): readonly EventSourceMapping[];
  /** The invocations of the account: what runs the code of a function elsewhere counts here too. */
  readonly concurrency: Concurrency;
  /** How many UpdateAlias calls really changed the version. */
  counters(): { changingAliasUpdates: number };
  /** The next `times` calls of `operation` answer 429 TooManyRequestsException. */
  throttle(operation: string, times: number): void;
  /** Replaces the variables that every function's process gets; holds for processes that start from now on. */
  setEnvironment(environment: Record<string, string>): void;
  /** Stops every process; when it resolves none is left. */
  close(): Promise<void>;
};

export type Invoked = {
  payload: Buffer;
  functionError?: string;
  executedVersion: string;
  /** Of the alias, read together with its version; empty when the qualifier is not an alias. */
  description: string;
};

/** `payload`: what a function returned. `body`: what it streamed, with the content type that says how to read it. */
export type Requested = ({ payload: Buffer } | Flow) & Omit<Invoked, "payload">;

export type LocalLambdaOptions = {
  /** Everything lives under `<dataDir>/lambda`. */
  dataDir: string;
  /** Reads the zip that Code.S3Bucket and S3Key name. */
  readObject(bucket: string, key: string, version?: string): Promise<Buffer>;
  /** Given to every function's process, such as AWS_ENDPOINT_URL. The function's own variables win. */
  environment: Record<string, string>;
  /** Takes the functions' output, line by line. */
  log?: (functionName: string, version: string, line: string) => void;
  /** Whose output `log` gets only where something is wrong. Default nobody's. */
  quiet?: Quiet;
  /** Where the function URL of this id is served at this moment. */
  functionUrlOf: (id: string) => string;
  /** Processes per function version; further invocations wait in line. Default 3. */
  maxConcurrency?: number;
  /** How long an unused process stays. Default 15 minutes. */
  idleTimeoutMs?: number;
  /** After how long without an alias a version keeps one idle process at most. Default 60 s. */
  unaliasedGraceMs?: number;
  /** How long Pending and InProgress last. Default 30 ms. */
  settleMs?: number;
  /** Default those of a usual account. */
  account?: AccountLimits;
  /** What of the account's executions is one function's alone, by its name. Default nothing. */
  reserved?: ReadonlyMap<string, number>;
  /** A clock in milliseconds that never goes back; only tests change it. */
  now?: () => number;
};

export const startLambda = async (options: LocalLambdaOptions): Promise<LocalLambda> => {
  const root = join(options.dataDir, "lambda");
  const scratchDir = join(root, "tmp");
  rmSync(scratchDir, { recursive: true, force: true });
  mkdirSync(scratchDir, { recursive: true });
  const log = options.log ?? (() => {});
  let environment = options.environment;

  const code = openCodeStore(join(root, "code"));
  const mappings = openRecordStore<EventSourceMapping>(join(root, "mappings"), ["uuid", "eventSourceArn", "functionName"]);
  const functions = openRecordStore<FunctionRecord | Tombstone>(join(root, "functions"), ["name", "nextVersion"]);
  const runtimeApi = await startRuntimeApi();
  const fleet = openFleet(
    {
      maxConcurrency: options.maxConcurrency ?? 3,
      idleTimeoutMs: options.idleTimeoutMs ?? 15 * 60_000,
      unaliasedGraceMs: options.unaliasedGraceMs ?? 60_000,
    },
    { runtimeApi, scratchDir, environment: () => environment, log, quiet: options.quiet },
    ({ functionName, version }) => {
      const record = registry.find(functionName);
      return version === LATEST || (record !== undefined && aliasesOn(record, version).length > 0);
    },
  );
  const closing = new AbortController();
  const account = options.account ?? USUAL_ACCOUNT;
  const concurrency = openConcurrency(account.concurrentInvocations, options.reserved);
  const invocations = counted(fleet, concurrency, closing.signal);
  const mayCall = callRate(account.lambdaCalls, options.now ?? (() => performance.now()));
  const registry = openRegistry({ store: functions, settleMs: options.settleMs ?? 30, settled: retireSuperseded });

  /** Processes of an earlier `$LATEST` can never be asked again. */
  function retireSuperseded({ name, latest }: FunctionRecord): void {
    const current = `${name}:${LATEST}:${fingerprint(latest.serving ?? latest)}`;
    void fleet.retire((task) => task.functionName === name && task.version === LATEST && task.key !== current);
  }

  /** The code goes when the last process that runs it has gone. What can't be removed now is removed by the next start. */
  let sweeping: Promise<unknown> = Promise.resolve();
  const removed = (name: string, version: string | undefined): void => {
    const gone = fleet.retire((task) => task.functionName === name && (!version || task.version === version));
    const sweep = gone.then(() => code.sweep(codesInUse()));
    sweeping = Promise.all([sweeping, sweep.catch((error) => log(name, version ?? LATEST, `its code was not removed: ${error}`))]);
  };
  const codesInUse = () =>
    registry
      .all()
      .flatMap(({ latest, versions }) =>
        [latest, ...(latest.serving ? [latest.serving] : []), ...Object.values(versions)].map((one) => one.code),
      );
  await code.sweep(codesInUse());

  let changingAliasUpdates = 0;
  const countMove = () => {
    changingAliasUpdates += 1;
  };
  const operations: Operations = {
    ...functionOperations({ registry, code, readObject: options.readObject, removed }),
    ...versionOperations(registry),
    ...aliasOperations(registry, countMove),
    ...urlOperations(registry, options.functionUrlOf),
    ...policyOperations(registry),
    ...eventSourceOperations(registry, mappings),
    ...accountOperations(registry, concurrency),
    ...invocationOperations(registry, code, invocations, log),
  };

  const throttles = new Map<string, number>();
  const perform = async ({ method, path, query, headers, body }: AwsRequest): Promise<AwsResponse> => {
    const route = routeOf(method, path);
    const operation = route && operations[route.operation];
    if (!operation) throw new AwsError("UnknownOperationException", 404, `The local Lambda does not have ${method} ${path}.`);
    const left = throttles.get(route.operation) ?? 0;
    throttles.set(route.operation, Math.max(0, left - 1));
    if (left > 0) throw tooManyCalls();
    mayCall(route.operation);
    return await operation({ path: route.path, query, headers, body });
  };

  return {
    async handle(request) {
      const response = await perform(request).catch(refusal);
      return { ...response, headers: { "x-amzn-requestid": randomUUID(), ...response.headers } };
    },
    async invoke(functionName, qualifier, payload) {
      const destination = destinationOf(registry, code, functionName, qualifier);
      const outcome = await wholeOf(await fleet.run(destination.task, invocationOf(destination, Buffer.from(payload))));
      return { ...outcome, executedVersion: destination.task.version, description: destination.description };
    },
    async request(functionName, qualifier, event) {
      const destination = destinationOf(registry, code, functionName, qualifier);
      const mode = registry.get(functionName).urls[qualifier ?? ""]?.invokeMode ?? "BUFFERED";
      const reply = await invocations.run(destination.task, invocationOf(destination, Buffer.from(JSON.stringify(event))));
      const answered = await inMode(mode, reply);
      return { ...answered, executedVersion: destination.task.version, description: destination.description };
    },
    alias(functionName, name) {
      const record = registry.find(functionName);
      const alias = record && findAlias(record, name);
      return alias && { functionVersion: alias.functionVersion, description: alias.description, revisionId: alias.revisionId };
    },
    functionUrl(urlId) {
      for (const { name, urls } of registry.all()) {
        const [qualifier, url] = Object.entries(urls).find(([, one]) => one.id === urlId) ?? [];
        if (url !== undefined) return { functionName: name, qualifier: qualifier || undefined, authType: url.authType };
      }
      return undefined;
    },
    mappings: () => mappings.all(),
    concurrency,
    counters: () => ({ changingAliasUpdates }),
    throttle: (operation, times) => void throttles.set(operation, times),
    setEnvironment(next) {
      environment = next;
    },
    async close() {
      closing.abort();
      registry.close();
      await fleet.close();
      await sweeping;
      await runtimeApi.close();
    },
  };
};

/** What AWS has no name for is a fault, and goes up. */
const refusal = (error: unknown): AwsResponse => {
  if (error instanceof AwsError) return refusalAnswer(error);
  throw error;
};
