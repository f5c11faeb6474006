import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { ACCOUNT, REGION } from "../http.ts";
import { readLogLines } from "./log-lines.ts";
import type { RuntimeApi } from "./runtime-api.ts";
import { BrokenOff, flowOf, RESULT_LIMIT, tooLarge } from "./streamed-response.ts";
import { type Flow, type Invocation, type Outcome, type Reply, type Task, unhandled } from "./task.ts";

const BOOTSTRAP = fileURLToPath(new URL("./bootstrap.mjs", import.meta.url));

/** Seconds that loading the bundle may take at least. Generous: a first start on a busy machine is slow. */
const INIT_SECONDS = 30;

/** What a sandbox needs from outside. */
export type SandboxSupport = {
  readonly runtimeApi: RuntimeApi;
  /** Where each sandbox gets a HOME and TMPDIR of its own. */
  readonly scratchDir: string;
  readonly environment: () => Readonly<Record<string, string>>;
  readonly log: (functionName: string, version: string, line: string) => void;
  readonly quiet?: Quiet | undefined;
};

/** Invocations whose output is shown only where their answer is not the one that is expected. */
export type Quiet = { readonly asks: (payload: Buffer) => boolean; readonly expects: (answer: Buffer) => boolean };

/** One execution environment: a process that has loaded the bundle and runs one invocation at a time. */
export type Sandbox = {
  /** Only after `ready` was called, and once for each call of it. */
  run(invocation: Invocation): Promise<Reply>;
  /** Kills it, with whatever it started; resolves when it is gone. An invocation that it was running fails. */
  stop(): Promise<void>;
};

/**
 * Starts a process for the task.
 * `ready` is called whenever it waits for an invocation; `ended` once, when it takes no more, with what its invocation comes to if it never was ready.
 */
export const startSandbox = (
  task: Task,
  support: SandboxSupport,
  on: { ready(sandbox: Sandbox): void; ended(sandbox: Sandbox, neverReady: ((requestId: string) => Outcome) | undefined): void },
): Sandbox => {
  const { runtimeApi, scratchDir, environment, log, quiet } = support;
  const token = randomBytes(16).toString("hex");
  const scratch = join(scratchDir, token);
  mkdirSync(scratch, { recursive: true });
  let started = false;
  let initError: Outcome | undefined;
  let waiting: ServerResponse | undefined;
  /** Until its answer is given; one that streams, until the next invocation is asked for: its handler may outlive its answer. */
  let running:
    | { requestId: string; settle: (answer: { outcome: Outcome } | Flow) => void; timer: NodeJS.Timeout; flow?: PassThrough }
    | undefined;

  const address = runtimeApi.admit(token, {
    next(response) {
      if (!started) clearTimeout(initTimer);
      started = true;
      clearTimeout(running?.timer);
      running = undefined;
      waiting = response;
      on.ready(sandbox);
    },
    succeeded(requestId, result) {
      finish(requestId, result.length > RESULT_LIMIT ? tooLarge(result.length, RESULT_LIMIT) : { payload: result });
    },
    streams(requestId, request) {
      if (running?.requestId !== requestId) return void request.resume();
      running.flow = flowOf(request);
      running.settle({ contentType: request.headers["content-type"] ?? "", body: running.flow });
    },
    failed: (requestId, error) => finish(requestId, { payload: error, functionError: "Unhandled" }),
    initFailed(error) {
      initError = { payload: error, functionError: "Unhandled" };
    },
  });

  const child = spawn(process.execPath, [BOOTSTRAP], {
    cwd: task.taskRoot,
    env: { ...environment(), ...ownVariables(task, environment()), ...runtimeVariables(task, { address, scratch, token }) },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true, // leads a process group, so that what it starts can be killed with it
  });
  const lines = readLogLines([child.stdout, child.stderr], (line) => log(task.functionName, task.version, line));

  const gone = new Promise<void>((resolve) => {
    const end = (status: string) => {
      clearTimeout(initTimer);
      runtimeApi.forget(token);
      child.stdio[3]?.destroy(); // ends what the process started and left behind
      const exit = (requestId: string) =>
        unhandled("Runtime.ExitError", `RequestId: ${requestId} Error: Runtime exited with error: ${status}`);
      if (running) finish(running.requestId, exit(running.requestId));
      on.ended(sandbox, started ? undefined : (requestId) => initError ?? exit(requestId));
      rm(scratch, { recursive: true, force: true }).then(resolve, () => resolve());
    };
    child.once("exit", (code, signal) => end(signal ? `signal: ${signal}` : `exit status ${code}`));
    child.once("error", (error) => {
      if (child.pid === undefined) end(error.message);
    });
  });

  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL"); // it has not become a group leader yet
    }
  };

  const initLimit = Math.max(INIT_SECONDS, task.configuration.Timeout);
  const initTimer = setTimeout(() => {
    initError = unhandled("Sandbox.Timedout", `Error: the bundle was not loaded within ${initLimit} seconds`);
    kill();
  }, initLimit * 1000);

  const finish = (requestId: string, outcome: Outcome): void => {
    if (running?.requestId !== requestId) return;
    const { settle, timer, flow } = running;
    clearTimeout(timer);
    running = undefined;
    if (flow === undefined) settle({ outcome });
    else if (!flow.writableEnded) flow.destroy(new BrokenOff(outcome));
    // whoever asked has the whole answer already
    else log(task.functionName, task.version, `after its answer: ${outcome.payload}`);
  };

  const timeOut = (requestId: string): void => {
    const { Timeout } = task.configuration;
    finish(requestId, unhandled("Sandbox.Timedout", `RequestId: ${requestId} Error: Task timed out after ${Timeout.toFixed(2)} seconds`));
    kill();
  };

  const sandbox: Sandbox = {
    async run(invocation) {
      const response = waiting;
      if (!response) throw new Error(`A sandbox of ${task.key} was given an invocation while it was not waiting for one`);
      waiting = undefined;
      const excerpt = lines.begin(invocation.requestId, quiet?.asks(invocation.payload) ? "held" : undefined);
      const limit = task.configuration.Timeout * 1000;
      const answer = new Promise<{ outcome: Outcome } | Flow>((settle) => {
        const { requestId } = invocation;
        running = { requestId, settle, timer: setTimeout(() => timeOut(requestId), limit) };
      });
      send(response, invocation, Date.now() + limit);
      const given = await answer;
      const isExpected = "outcome" in given && !given.outcome.functionError && quiet?.expects(given.outcome.payload);
      if (!isExpected) excerpt.show();
      return { ...given, log: excerpt.tail };
    },
    async stop() {
      kill();
      await gone;
    },
  };
  return sandbox;
};

const send = (response: ServerResponse, { requestId, arn, payload }: Invocation, deadline: number): void => {
  response
    .writeHead(200, {
      "content-type": "application/json",
      "content-length": payload.length,
      "lambda-runtime-aws-request-id": requestId,
      "lambda-runtime-invoked-function-arn": arn,
      "lambda-runtime-deadline-ms": String(deadline),
      "lambda-runtime-trace-id": `Root=1-${requestId.slice(0, 8)}-${requestId.replaceAll("-", "").slice(0, 24)};Sampled=0`,
    })
    .end(payload);
};

/** The variables that Lambda itself gives. Of the parent's own environment only PATH goes on: no secret of the parent leaks. */
/** A version keeps its variables for ever, and the URL of a queue has the address in it that this AWS had then: it leads to the present one. */
const ownVariables = ({ configuration }: Task, { AWS_ENDPOINT_URL = "" }: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(configuration.Environment?.Variables ?? {}).map(([name, value]) => [
      name,
      AWS_ENDPOINT_URL === "" ? value : value.replace(QUEUE_URL, (_all, path: string) => AWS_ENDPOINT_URL + path),
    ]),
  );

const QUEUE_URL = new RegExp(`^http://127\\.0\\.0\\.1:\\d+(/${ACCOUNT}/[A-Za-z0-9_.-]+)$`);

const runtimeVariables = (
  { functionName, version, configuration, taskRoot }: Task,
  { address, scratch, token }: { address: string; scratch: string; token: string },
): Record<string, string> => ({
  AWS_LAMBDA_FUNCTION_NAME: functionName,
  AWS_LAMBDA_FUNCTION_VERSION: version,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.MemorySize),
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
  AWS_LAMBDA_LOG_STREAM_NAME: `${new Date().toISOString().slice(0, 10).replaceAll("-", "/")}/[${version}]${token}`,
  AWS_LAMBDA_RUNTIME_API: address,
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.Runtime}`,
  LAMBDA_TASK_ROOT: taskRoot,
  _HANDLER: configuration.Handler,
  PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
  HOME: scratch,
  TMPDIR: scratch,
  LANG: "en_US.UTF-8",
  TZ: ":UTC",
});
