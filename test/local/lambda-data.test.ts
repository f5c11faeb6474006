import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  InvokeCommand,
  type LambdaClient,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActive,
  waitUntilFunctionUpdated,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle, type Endpoint, type File, isAlive, link, ROLE, startEndpoint, temporaryFolder, until, zip } from "./lambda-endpoint.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let endpoint: Endpoint;
let client: LambdaClient;

const start = async (options?: Parameters<typeof startEndpoint>[1]) => {
  endpoint = await startEndpoint(folder.path, options);
  client = endpoint.client;
};
const restart = async (options: Parameters<typeof startEndpoint>[1]) => {
  await endpoint.close();
  await start(options);
};

beforeEach(async () => {
  folder = await temporaryFolder();
  await start();
});
afterEach(async () => {
  await endpoint.close();
  await folder.remove();
});

const waiter = () => ({ client, minDelay: 0.01, maxDelay: 0.05, maxWaitTime: 10 });
const create = async (FunctionName: string, ZipFile: Buffer, more: object = {}) => {
  const input = { FunctionName, Role: ROLE, Runtime: "nodejs24.x" as const, Handler: "index.handler", Code: { ZipFile } };
  await client.send(new CreateFunctionCommand({ ...input, ...more }));
  await waitUntilFunctionActive(waiter(), { FunctionName });
};
const release = async (FunctionName: string, ZipFile: Buffer) => {
  const { Version: Qualifier = "" } = await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, Publish: true }));
  await waitUntilFunctionUpdated(waiter(), { FunctionName });
  await waitUntilPublishedVersionActive(waiter(), { FunctionName, Qualifier });
  return Qualifier;
};
const call = async (name: string, qualifier = "$LATEST", event: unknown = {}) => {
  const { payload, ...rest } = await endpoint.lambda.invoke(name, qualifier, JSON.stringify(event));
  return { ...rest, result: JSON.parse(String(payload)) };
};
const answerOf = async (name: string, event: unknown = {}) => (await call(name, "$LATEST", event)).result;

/** What a streaming handler wrote before and after the eight zero bytes. */
const written = async (name: string): Promise<string[]> =>
  String((await endpoint.lambda.invoke(name, "$LATEST", "{}")).payload).split("\0".repeat(8));

/** Answers its process id after a while. */
const SLEEPER = "async ({ ms = 0 }) => { await new Promise((go) => setTimeout(go, ms)); return process.pid; }";

describe("an invocation", () => {
  it("over the SDK gives the result, the version that ran, and the end of the log", async () => {
    await create(
      "echo",
      await bundle("async (event) => { console.log('said', event.word); console.error('low'); return { heard: event.word }; }"),
    );
    await release(
      "echo",
      await bundle("async (event) => { console.log('said', event.word); console.error('low'); return { again: event.word }; }"),
    );
    const { Payload, ExecutedVersion, StatusCode, FunctionError, LogResult } = await client.send(
      new InvokeCommand({ FunctionName: "echo", Qualifier: "1", Payload: JSON.stringify({ word: "grüße" }), LogType: "Tail" }),
    );
    expect({ StatusCode, ExecutedVersion, FunctionError }).toEqual({ StatusCode: 200, ExecutedVersion: "1", FunctionError: undefined });
    expect(JSON.parse(Payload?.transformToString() ?? "")).toEqual({ again: "grüße" });
    const log = Buffer.from(LogResult ?? "", "base64").toString();
    expect(log).toMatch(/^START RequestId: \S+\nsaid grüße\nlow\nEND RequestId: \S+$/);
    expect(endpoint.lines).toEqual(["echo:1 said grüße", "echo:1 low"]);
  });

  it("keeps the logs of one invocation after another apart, also a last line without its end", async () => {
    await restart({ maxConcurrency: 1 });
    await create("say", await bundle("async ({ n }) => void process.stdout.write(n + ' of many')"));
    const logs = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const { LogResult } = await client.send(
          new InvokeCommand({ FunctionName: "say", Payload: JSON.stringify({ n }), LogType: "Tail" }),
        );
        return Buffer.from(LogResult ?? "", "base64")
          .toString()
          .split("\n")[1];
      }),
    );
    expect(logs).toEqual(Array.from({ length: 20 }, (_, n) => `${n} of many`));
  });

  it("may be dry or asynchronous: no result, and the asynchronous one runs all the same", async () => {
    await create("note", await bundle("async ({ word }) => console.log(word)"));
    const invoke = (InvocationType: "DryRun" | "Event", word: string) =>
      client.send(new InvokeCommand({ FunctionName: "note", InvocationType, Payload: JSON.stringify({ word }) }));
    expect((await invoke("DryRun", "dry")).StatusCode).toBe(204);
    expect((await invoke("Event", "later")).StatusCode).toBe(202);
    await until("the asynchronous invocation has run", () => endpoint.lines.length > 0);
    expect(endpoint.lines).toEqual(["note:$LATEST later"]);
  });

  it("is refused when there is no such function, version or alias, or the payload is not JSON", async () => {
    await create("web", await bundle("async () => 1"));
    for (const [name, qualifier] of [
      ["nobody", "$LATEST"],
      ["web", "7"],
      ["web", "live"],
    ] as const) {
      await expect(endpoint.lambda.invoke(name, qualifier, "{}")).rejects.toMatchObject({ code: "ResourceNotFoundException", status: 404 });
    }
    await expect(client.send(new InvokeCommand({ FunctionName: "web", Payload: "{" }))).rejects.toMatchObject({
      name: "InvalidRequestContentException",
    });
    await expect(client.send(new InvokeCommand({ FunctionName: "web", Qualifier: "live" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("finds the context, the variables of Lambda and its own, and nothing of the parent's", async () => {
    process.env.SECRET_OF_THE_PARENT = "hush";
    await restart({ environment: { AWS_ENDPOINT_URL: "http://127.0.0.1:1", STAGE: "default" } });
    endpoint.lambda.setEnvironment({ AWS_ENDPOINT_URL: "http://127.0.0.1:4566", STAGE: "default" });
    await create(
      "look",
      await bundle("async (_, context) => ({ env: process.env, cwd: process.cwd(), left: context.getRemainingTimeInMillis(), context })"),
      {
        Environment: { Variables: { STAGE: "own" } },
        Timeout: 5,
        MemorySize: 256,
      },
    );
    const { env, cwd, left, context } = await answerOf("look");
    delete process.env.SECRET_OF_THE_PARENT;
    expect(Object.keys(env).sort()).toEqual(
      [
        ...[
          "AWS_DEFAULT_REGION",
          "AWS_ENDPOINT_URL",
          "AWS_EXECUTION_ENV",
          "AWS_REGION",
          "HOME",
          "LAMBDA_TASK_ROOT",
          "LANG",
          "PATH",
          "STAGE",
          "TMPDIR",
          "TZ",
        ],
        ...["FUNCTION_MEMORY_SIZE", "FUNCTION_NAME", "FUNCTION_VERSION", "LOG_GROUP_NAME", "LOG_STREAM_NAME", "RUNTIME_API"].map(
          (name) => `AWS_LAMBDA_${name}`,
        ),
        ...["_HANDLER", "_X_AMZN_TRACE_ID"],
      ].sort(),
    );
    expect(env).toMatchObject({
      AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
      STAGE: "own",
      AWS_REGION: "eu-west-1",
      AWS_LAMBDA_FUNCTION_NAME: "look",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      LAMBDA_TASK_ROOT: cwd,
      _HANDLER: "index.handler",
    });
    expect(left).toBeGreaterThan(1000);
    expect(context).toMatchObject({
      functionName: "look",
      functionVersion: "$LATEST",
      memoryLimitInMB: "256",
      invokedFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:look:$LATEST",
    });
  });
});

describe("a bundle", () => {
  it.each([
    ["index.mjs", "index.handler", { "index.mjs": "export const handler = async () => 'ran';" }],
    ["index.js without a package.json", "index.handler", { "index.js": "exports.handler = async () => 'ran';" }],
    ["index.cjs", "index.run", { "index.cjs": "exports.run = async () => 'ran';" }],
    ["a file in a folder", "dist/app.handler", { "dist/app.mjs": "export const handler = () => 'ran';" }],
    ["a callback", "index.handler", { "index.mjs": "export const handler = (event, context, done) => setTimeout(done, 1, null, 'ran');" }],
    [
      "modules behind links and odd names",
      "index.handler",
      {
        "index.mjs": "import word from './node_modules/linked/[slug]$.mjs'; export const handler = async () => word;",
        "store/linked/[slug]$.mjs": "export default 'ran';",
        "node_modules/linked": link("../store/linked"),
        "node_modules/gone": link("../store/gone"),
      },
    ],
    [
      "a program with its mode",
      "index.handler",
      {
        "index.mjs":
          "import { execFileSync } from 'node:child_process'; export const handler = async () => String(execFileSync('./bin/say'));",
        "bin/say": { content: "#!/bin/sh\nprintf ran", mode: 0o100755 },
      },
    ],
  ] as [string, string, Record<string, File>][])("with %s runs", async (_, Handler, files) => {
    await create("web", await zip(files), { Handler });
    expect(await answerOf("web")).toBe("ran");
  });

  it("whose response is streamed gives everything that it wrote: prelude, eight zero bytes, body", async () => {
    const streaming = `awslambda.streamifyResponse(async (event, stream) => {
      const body = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { "x-a": "b" }, cookies: ["c=d"] });
      body.write("hello "); await null; body.end("stream");
    })`;
    await create("stream", await bundle(streaming));
    expect(await written("stream")).toEqual(['{"statusCode":201,"headers":{"x-a":"b"},"cookies":["c=d"]}', "hello stream"]);
  });

  it("may stream from a pipeline that is still writing when the handler is done", async () => {
    const streaming = `awslambda.streamifyResponse(async (event, stream) => {
      const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: {} });
      Readable.from((async function* () { for (let n = 0; n < 5; n += 1) { await new Promise((go) => setTimeout(go, 10)); yield String(n); } })()).pipe(out);
    })`;
    await create("stream", await bundle(streaming, 'import { Readable } from "node:stream";'));
    expect((await written("stream"))[1]).toBe("01234");
  });

  it.each([
    ["throws while it loads", "async () => 1", "throw new TypeError('no config');", "TypeError", "no config"],
    ["exits while it loads", "async () => 1", "process.exit(3);", "Runtime.ExitError", /exit status 3$/],
    ["does not export its handler", "1", "", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"],
  ])("that %s fails the invocation, and the next one tries again", async (_, handler, top, errorType, message) => {
    await create("bad", await bundle(handler, top));
    for (const _attempt of [1, 2]) {
      const { functionError, result } = await call("bad");
      expect(functionError).toBe("Unhandled");
      expect(result).toMatchObject({ errorType, errorMessage: message instanceof RegExp ? expect.stringMatching(message) : message });
    }
  });

  it("without the handler's file says which module is missing", async () => {
    await create("bad", await bundle("async () => 1"), { Handler: "main.handler" });
    expect((await call("bad")).result).toMatchObject({
      errorType: "Runtime.ImportModuleError",
      errorMessage: expect.stringContaining("'main'"),
    });
  });
});

describe("a handler's failure", () => {
  it("is the function's error, with type, message and trace, and the process goes on", async () => {
    await create("web", await bundle("async ({ bad }) => { if (bad) throw new RangeError('too far'); return process.pid; }"));
    const pid = await answerOf("web");
    const { Payload, FunctionError, ExecutedVersion } = await client.send(
      new InvokeCommand({ FunctionName: "web", Payload: '{"bad":true}' }),
    );
    expect({ FunctionError, ExecutedVersion }).toEqual({ FunctionError: "Unhandled", ExecutedVersion: "$LATEST" });
    expect(JSON.parse(Payload?.transformToString() ?? "")).toMatchObject({
      errorType: "RangeError",
      errorMessage: "too far",
      trace: expect.any(Array),
    });
    expect(await answerOf("web")).toBe(pid);
  });

  it.each([
    ["exits", "process.exit(7)", "Runtime.ExitError", /^RequestId: \S+ Error: Runtime exited with error: exit status 7$/],
    ["is killed", "process.kill(process.pid, 'SIGKILL')", "Runtime.ExitError", /signal: SIGKILL$/],
    ["throws outside the handler", "setTimeout(() => { throw new Error('loose'); })", "Error", /^loose$/],
    ["forgets a rejection", "void Promise.reject(new Error('lost'))", "Runtime.UnhandledPromiseRejection", /^Error: lost$/],
  ])("that %s ends the process, and the next invocation gets a new one", async (_, harm, errorType, message) => {
    await create(
      "web",
      await bundle(
        `async ({ bad }) => { if (bad) { ${harm}; await new Promise(() => setTimeout(() => {}, 60_000)); } return process.pid; }`,
      ),
      { Timeout: 20 },
    );
    const pid = await answerOf("web");
    expect(await call("web", "$LATEST", { bad: true })).toMatchObject({
      functionError: "Unhandled",
      result: { errorType, errorMessage: expect.stringMatching(message) },
    });
    const next = await answerOf("web");
    expect(typeof next).toBe("number");
    expect(next).not.toBe(pid);
  });

  it("that ends the process ends what it started too", async () => {
    const top = 'import { spawn } from "node:child_process";';
    await create("web", await bundle('async () => { console.log(spawn("sleep", ["60"]).pid); process.exit(1); }', top));
    expect(await call("web")).toMatchObject({ functionError: "Unhandled" });
    await until("the line was read", () => endpoint.lines.length > 0);
    const pid = Number(endpoint.lines[0]?.split(" ")[1]);
    await until("the sleeper is gone", () => !isAlive(pid));
  });

  it("to end in time kills the process, also one that never yields", async () => {
    await create("slow", await bundle("async ({ spin }) => { if (spin) for (;;); return process.pid; }"), { Timeout: 1 });
    const pid = await answerOf("slow");
    const { functionError, result } = await call("slow", "$LATEST", { spin: true });
    expect(functionError).toBe("Unhandled");
    expect(result).toEqual({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 1.00 seconds$/),
    });
    await until("the process is gone", () => !isAlive(pid));
    expect(await answerOf("slow")).not.toBe(pid);
  });
});

describe("processes", () => {
  it("are used again, one invocation at a time, at most three, and the rest wait in line", async () => {
    await create("web", await bundle(SLEEPER), { Timeout: 20 });
    const pids = await Promise.all(Array.from({ length: 9 }, () => answerOf("web", { ms: 50 })));
    // on a busy machine the first may have answered all before the third has started
    expect(new Set(pids).size).toBeLessThanOrEqual(3);
    const answered = new Set(pids);
    // the last to start may have had nothing to answer yet, and answers everything from now on
    await until("one of them answers again", async () => {
      const pid = await answerOf("web");
      return answered.has(pid) || answered.add(pid).size === 0;
    });
    expect(answered.size).toBeLessThanOrEqual(3);
  });

  it("serve the line in its order", async () => {
    await restart({ maxConcurrency: 1 });
    await create("web", await bundle("async ({ n }) => { console.log(n); }"));
    await Promise.all(Array.from({ length: 20 }, (_, n) => answerOf("web", { n })));
    await until("every line was read", () => endpoint.lines.length === 20);
    expect(endpoint.lines).toEqual(Array.from({ length: 20 }, (_, n) => `web:$LATEST ${n}`));
  });

  it("of one version hold no more than the version's own state", async () => {
    await create("count", await bundle("async () => (globalThis.n = (globalThis.n ?? 0) + 1)"));
    await release("count", await bundle("async () => -(globalThis.n = (globalThis.n ?? 0) + 1)"));
    expect([await answerOf("count"), await answerOf("count"), (await call("count", "1")).result]).toEqual([-1, -2, -1]);
  });

  it("end when they were not needed for the idle timeout", async () => {
    await restart({ idleTimeoutMs: 100 });
    await create("web", await bundle(SLEEPER));
    const pid = await answerOf("web");
    await until("the idle process is gone", () => !isAlive(pid));
    expect(await answerOf("web")).not.toBe(pid);
  });

  it("of a version that no alias names any more shrink to one, which makes a rollback instant", async () => {
    await restart({ unaliasedGraceMs: 150 });
    await create("web", await bundle("async () => 0"), { Timeout: 20 });
    const one = await release("web", await bundle(SLEEPER));
    const two = await release("web", await bundle(`${SLEEPER} // two`));
    await client.send(new CreateAliasCommand({ FunctionName: "web", Name: "live", FunctionVersion: one }));
    const answering = async () =>
      Promise.all(Array.from({ length: 3 }, async () => (await call("web", "live", { ms: 100 })).result as number));
    let pids = new Set<number>();
    // on a busy machine one process answers twice, while another still starts
    await until("three processes answer at once", async () => {
      pids = new Set(await answering());
      return pids.size === 3;
    });
    const flip = (FunctionVersion: string) => client.send(new UpdateAliasCommand({ FunctionName: "web", Name: "live", FunctionVersion }));
    await flip(two);
    await until("one process of version 1 is left", () => [...pids].filter(isAlive).length === 1);
    await flip(one);
    expect([...pids]).toContain((await call("web", "live")).result);
  });

  it("of versions that lost their alias longest ago end, all but the last two", async () => {
    await restart({ unaliasedGraceMs: 150 });
    await create("web", await bundle("async () => 0"), { Timeout: 20 });
    const versions: string[] = [];
    const pids: number[] = [];
    for (let n = 1; n <= 4; n++) {
      const FunctionVersion = await release("web", await bundle(`${SLEEPER} // ${n}`));
      const alias = { FunctionName: "web", Name: "live", FunctionVersion };
      await (n === 1 ? client.send(new CreateAliasCommand(alias)) : client.send(new UpdateAliasCommand(alias)));
      versions.push(FunctionVersion);
      pids.push((await call("web", "live")).result);
    }
    await until("the first version's process is gone", () => !isAlive(pids[0] as number));
    expect(pids.slice(1).map(isAlive)).toEqual([true, true, true]);
    expect((await call("web", versions[1])).result).toBe(pids[1]);
  });

  it("of an earlier $LATEST end", async () => {
    await create("web", await bundle(SLEEPER));
    const pid = await answerOf("web");
    await release("web", await bundle("async () => 'new'"));
    await until("the superseded process is gone", () => !isAlive(pid));
    expect(await answerOf("web")).toBe("new");
  });

  it("are all gone when the local Lambda was closed, with what they started, and callers learn it", async () => {
    await create(
      "web",
      await bundle(
        `async ({ ms }) => { const child = spawn("sleep", ["60"]); console.log(process.pid, child.pid); await new Promise((go) => setTimeout(go, ms)); }`,
        'import { spawn } from "node:child_process";',
      ),
      { Timeout: 60 },
    );
    const running = call("web", "$LATEST", { ms: 60_000 });
    await until("it runs", () => endpoint.lines.length > 0);
    const pids = (endpoint.lines[0] ?? "").split(" ").slice(1).map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await endpoint.close();
    await until("both are gone", () => !pids.some(isAlive));
    expect(await running).toMatchObject({ functionError: "Unhandled" });
    await expect(endpoint.lambda.invoke("web", "$LATEST", "{}")).rejects.toMatchObject({ code: "ServiceException" });
  });
});

describe("a flip", () => {
  it("loses no request: each runs whole on the version, and with the description, that the alias had", async () => {
    await create("web", await bundle("async () => 0"), { Timeout: 20 });
    await release("web", await bundle("async () => 'release 1'"));
    await release("web", await bundle("async () => 'release 2'"));
    const alias = { FunctionName: "web", Name: "live" };
    await client.send(new CreateAliasCommand({ ...alias, FunctionVersion: "1", Description: "release 1" }));
    let flipping = true;
    let answered = 0;
    const callers = Array.from({ length: 4 }, async () => {
      const seen = new Set<string>();
      while (flipping) {
        const { result, executedVersion, description, functionError } = await call("web", "live");
        answered += 1;
        seen.add(JSON.stringify([result, executedVersion, description, functionError]));
      }
      return seen;
    });
    for (let n = 1; n <= 30; n += 1) {
      const version = String((n % 2) + 1);
      await client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: version, Description: `release ${version}` }));
      const before = answered;
      await until("an invocation that began after the flip was answered", () => answered > before + callers.length);
    }
    flipping = false;
    const seen = new Set((await Promise.all(callers)).flatMap((some) => [...some]));
    expect([...seen].sort()).toEqual(['["release 1","1","release 1",null]', '["release 2","2","release 2",null]']);
    expect(endpoint.lambda.counters().changingAliasUpdates).toBe(30);
  });

  it("with weights sends a share to the other version", async () => {
    await create("web", await bundle("async () => 0"));
    await release("web", await bundle("async () => 1"));
    await release("web", await bundle("async () => 2"));
    const RoutingConfig = { AdditionalVersionWeights: { "2": 0.5 } };
    await client.send(new CreateAliasCommand({ FunctionName: "web", Name: "live", FunctionVersion: "1", RoutingConfig }));
    const answers = await Promise.all(Array.from({ length: 80 }, async () => (await call("web", "live")).result));
    expect(new Set(answers)).toEqual(new Set([1, 2]));
  });
});

describe("a killed parent", () => {
  let parent: ChildProcess | undefined;
  afterEach(() => parent?.kill("SIGKILL"));

  /** A process of its own that runs a local Lambda on the same folder and says each line of its functions. */
  const startParent = async (script: string): Promise<string[]> => {
    const file = join(folder.path, "parent.ts");
    const lambda = new URL("../../local/lambda/lambda.ts", import.meta.url).href;
    await writeFile(
      file,
      `import { startLambda } from ${JSON.stringify(lambda)};
       const lambda = await startLambda({
         dataDir: ${JSON.stringify(folder.path)}, readObject: async () => Buffer.alloc(0), environment: {}, functionUrlOf: () => "",
         log: (name, version, line) => console.log(line),
       });
       const request = (method: string, path: string, body: object) => lambda.handle({ method, path, query: new URLSearchParams(), headers: {}, body: Buffer.from(JSON.stringify(body)) });
       ${script}`,
    );
    parent = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    if (parent.stdout) createInterface({ input: parent.stdout }).on("line", (line) => lines.push(line));
    return lines;
  };

  it("takes its functions' processes along, also one that never yields", async () => {
    await create("calm", await bundle("async () => console.log('pid', process.pid)"));
    await create("wild", await bundle("async () => { console.log('pid', process.pid); for (;;); }"), { Timeout: 60 });
    await endpoint.close();
    const lines = await startParent('await lambda.invoke("calm", "$LATEST", "{}"); void lambda.invoke("wild", "$LATEST", "{}");');
    await until("both functions run", () => lines.length === 2);
    const pids = lines.map((line) => Number(line.split(" ")[1]));
    expect(pids.map(isAlive)).toEqual([true, true]);
    parent?.kill("SIGKILL");
    await until("no process is left", () => !pids.some(isAlive));
    await start();
  });

  it("loses no change that it answered, and leaves none half done", async () => {
    await create("web", await bundle("async () => 0"), { Publish: true });
    await client.send(new CreateAliasCommand({ FunctionName: "web", Name: "live", FunctionVersion: "1", Description: "n=0" }));
    for (let round = 0; round < 3; round += 1) {
      await endpoint.close();
      const lines = await startParent(`for (let n = 1; ; n += 1) {
        const { status } = await request("PUT", "/2015-03-31/functions/web/aliases/live", { FunctionVersion: "1", Description: "n=" + n });
        if (status === 200) console.log(n);
      }`);
      await until("it has changed the alias a hundred times", () => lines.length >= 100);
      parent?.kill("SIGKILL");
      if (parent) await once(parent, "close");
      await start();
      const kept = Number(endpoint.lambda.alias("web", "live")?.description.slice("n=".length));
      expect(kept).toBeGreaterThanOrEqual(Number(lines.at(-1)));
    }
  });
});
