/**
 * What runs in each execution environment: takes invocations from the Runtime API, calls the handler, gives back its result.
 * Plain JavaScript without imports of the project, because it runs with the bundle's own working directory and settings.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";

// File descriptor 3 is a pipe that the parent holds. When the parent dies, however it dies, the pipe closes, and a shell
// that waits for that kills this whole process group: also a handler that never yields. (A worker thread could do it too,
// at 50 ms of CPU and 19 MB for each process.)
spawn("/bin/sh", ["-c", "read _; kill -KILL 0"], { stdio: [3, "ignore", "ignore"] }).unref();

// One stream for both, so that lines keep their order.
process.stderr.write = process.stdout.write.bind(process.stdout);
process.stdout.on("error", () => process.exit(1)); // no one listens any more

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const call = (method, path, body, headers = {}) =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const req = request(`${api}${path}`, { method, agent, headers: { ...headers, ...length } }, (res) => {
      const chunks = [];
      res.on("data", (chunk) => chunks.push(chunk));
      res.on("end", () => resolve({ headers: res.headers, body: Buffer.concat(chunks) }));
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body);
  });

const named = (name, message) => Object.assign(new Error(message), { name });

const errorBody = (error) =>
  error instanceof Error
    ? JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") })
    : JSON.stringify({ errorType: typeof error, errorMessage: String(error), trace: [] });

// ---- Response streaming: what the handler writes goes on at once, as fast as it is taken ----

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const INTEGRATION = "application/vnd.awslambda.http-integration-response";
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

/** One invocation's response. Its request to the Runtime API is opened by the first byte, as in the runtime of AWS. */
class ResponseStream extends Writable {
  #invocation;
  #contentType = "application/octet-stream";
  #request;
  #answered;
  constructor(invocation) {
    super();
    this.#invocation = invocation;
  }
  setContentType(contentType) {
    if (this.#request) throw named("InvalidStreamingOperation", "Cannot set content-type, too late.");
    this.#contentType = contentType;
  }
  /** Resolves when the whole response was taken. */
  get answered() {
    return this.#answered;
  }
  #open() {
    if (this.#request) return this.#request;
    const headers = {
      "content-type": this.#contentType,
      "lambda-runtime-function-response-mode": "streaming",
      trailer: [ERROR_TYPE, ERROR_BODY],
      "transfer-encoding": "chunked",
    };
    this.#request = request(`${api}/invocation/${this.#invocation}/response`, { method: "POST", agent, headers });
    this.#answered = new Promise((resolve, reject) => {
      this.#request.on("response", (res) => res.resume().on("end", resolve));
      this.#request.on("error", reject);
    });
    this.#answered.catch(() => {});
    return this.#request;
  }
  _write(chunk, _encoding, done) {
    this.#open().write(chunk, done);
  }
  _final(done) {
    this.#open().end(done);
  }
  /** What was written stays written; a response that has begun ends with the error in its trailers. */
  async fail(body) {
    if (!this.#request) return call("POST", `/invocation/${this.#invocation}/error`, body);
    if (!this.#request.writableEnded) {
      this.#request.addTrailers({ [ERROR_TYPE]: "Unhandled", [ERROR_BODY]: Buffer.from(body).toString("base64") });
      this.#request.end();
    }
    await this.#answered;
  }
}

globalThis.awslambda = {
  ...globalThis.awslambda,
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: "response" }),
  HttpResponseStream: {
    /** The framing: the prelude as JSON, eight zero bytes, then the body. */
    from(stream, prelude) {
      stream.setContentType(INTEGRATION);
      stream.write(JSON.stringify(prelude));
      stream.write(new Uint8Array(8));
      return stream;
    },
  },
};

// ---- What is signed with the key of the local AWS goes to it, whatever host of AWS it was signed for ----

const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID } = process.env;
const { fetch: plainFetch } = globalThis;

const hostOf = (input) => {
  const address = input instanceof Request ? input.url : String(input);
  return URL.canParse(address) ? new URL(address).host : "";
};

if (AWS_ENDPOINT_URL && AWS_ACCESS_KEY_ID)
  globalThis.fetch = async (input, init) => {
    if (!hostOf(input).endsWith(".amazonaws.com")) return plainFetch(input, init);
    const request = new Request(input, init);
    if (!request.headers.get("authorization")?.includes(` Credential=${AWS_ACCESS_KEY_ID}/`)) return plainFetch(request);
    const { host, pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("x-signed-host", host);
    const body = request.body === null ? undefined : await request.arrayBuffer();
    return plainFetch(`${AWS_ENDPOINT_URL}${pathname}${search}`, { method: request.method, headers, body, signal: request.signal });
  };

// ---- Handler ----

const loadHandler = async () => {
  const root = process.env.LAMBDA_TASK_ROOT;
  const target = process.env._HANDLER;
  const dot = target.lastIndexOf(".");
  const [module, name] = [target.slice(0, dot), target.slice(dot + 1)];
  const file = [".mjs", ".js", ".cjs"].map((extension) => join(root, module + extension)).find((path) => existsSync(path));
  if (!file) throw named("Runtime.ImportModuleError", `Error: Cannot find module '${module}' (.mjs, .js or .cjs) in the bundle`);
  const loaded = await import(pathToFileURL(file).href);
  const handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler !== "function") throw named("Runtime.HandlerNotFound", `${target} is undefined or not exported`);
  return handler;
};

const contextOf = (headers) => {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
};

const runStreaming = async (handler, event, context, stream) => {
  const finished = new Promise((resolve, reject) => stream.on("finish", resolve).on("error", reject));
  finished.catch(() => {});
  await handler(event, stream, context);
  await finished; // a pipeline may still be writing when the handler is done
  await stream.answered;
};

const runBuffered = async (handler, event, context) => {
  const result = await (handler.length < 3
    ? handler(event, context)
    : new Promise((resolve, reject) => {
        const returned = handler(event, context, (error, value) => (error ? reject(error) : resolve(value)));
        if (typeof returned?.then === "function") returned.then(resolve, reject);
      }));
  return { body: JSON.stringify(result ?? null), contentType: "application/json" };
};

// ---- The loop ----

let current;

/** An error that no one caught ends the environment, and the invocation it was running. */
const crash = (name) => async (thrown) => {
  const error =
    name && thrown instanceof Error ? Object.assign(named(name, `${thrown.name}: ${thrown.message}`), { stack: thrown.stack }) : thrown;
  console.error(error);
  const path = current ? `/invocation/${current}/error` : "/init/error";
  agent.maxSockets = 2; // the other socket may be waiting for the next invocation
  await call("POST", path, errorBody(error)).catch(() => {});
  process.exit(1);
};
process.on("uncaughtException", crash());
process.on("unhandledRejection", crash("Runtime.UnhandledPromiseRejection"));

let handler;
try {
  handler = await loadHandler();
} catch (error) {
  console.error(error);
  await call("POST", "/init/error", errorBody(error));
  process.exit(1);
}

for (;;) {
  const { headers, body } = await call("GET", "/invocation/next");
  current = headers["lambda-runtime-aws-request-id"];
  if (headers["lambda-runtime-trace-id"]) process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  const stream = handler[STREAMING] ? new ResponseStream(current) : undefined;
  let outcome;
  try {
    const event = body.length > 0 ? JSON.parse(body.toString("utf8")) : {};
    const run = stream ? runStreaming : runBuffered;
    outcome = await run(handler, event, contextOf(headers), stream);
  } catch (error) {
    console.error(error);
    outcome = { failed: errorBody(error) };
  }
  process.stdout.write(`END RequestId: ${current}\n`);
  const invocation = `/invocation/${current}`;
  current = undefined;
  if (outcome?.failed) await (stream ? stream.fail(outcome.failed) : call("POST", `${invocation}/error`, outcome.failed));
  else if (!stream) await call("POST", `${invocation}/response`, outcome.body, { "content-type": outcome.contentType });
}
