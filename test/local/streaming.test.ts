import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import {
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  InvokeCommand,
  type InvokeMode,
  UpdateFunctionUrlConfigCommand,
  waitUntilFunctionActive,
} from "@aws-sdk/client-lambda";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { placeholderCode } from "../../blueprint/site-resources.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { type Edge, startEdge } from "../../local/edge/edge.ts";
import { addressByNumber } from "../../local/function-address.ts";
import { bundle, ROLE, temporaryFolder, until } from "./lambda-endpoint.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
let gates: Server;
/** Handlers that wait, by what they wait for; each goes on when its request is answered. */
const waiting = new Map<string, ServerResponse>();
beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startAws({ dataDir: folder.path, log: () => {} });
  gates = createServer((request, response) => void waiting.set(request.url ?? "", response)).listen(0, "127.0.0.1");
  await once(gates, "listening");
});
afterAll(async () => {
  gates.closeAllConnections();
  gates.close();
  await aws.close();
  await folder.remove();
});

let edge: Edge | undefined;
let log: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  log = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(async () => {
  vi.restoreAllMocks();
  await edge?.close();
  for (const [gate, response] of waiting) response.end(gate);
  waiting.clear();
});

const isWaiting = (gate: string) => until(`a handler waits at ${gate}`, () => waiting.has(`/${gate}`));
const open = async (gate: string): Promise<void> => {
  await isWaiting(gate);
  waiting.get(`/${gate}`)?.end();
};

/** A function of this handler, whose code may wait at a gate; and an edge in front of it, as of a site whose address has this mode. */
const serve = async (FunctionName: string, handler: string, mode: InvokeMode = "RESPONSE_STREAM", Timeout = 60): Promise<string> => {
  const { lambda } = aws.clients;
  const gate = `const gate = (name) => fetch("http://127.0.0.1:${(gates.address() as AddressInfo).port}/" + name);`;
  const Code = { ZipFile: await bundle(handler, `import { once } from "node:events";\n${gate}`) };
  await lambda.send(
    new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs22.x", Handler: "index.handler", Code, Timeout }),
  );
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
  await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", InvokeMode: mode }));
  edge = await startEdge({
    certificate: aws.certificate,
    live: () => ({ deploymentId: "dep_1", sequence: 1 }),
    distribution: "E1",
    behaviors: [{ pattern: "*", origin: "server", cacheKey: "pages" }],
    table: { get: () => undefined },
    tableDelayMs: 0,
    invoke: (_, event) => aws.lambda.request(FunctionName, undefined, event),
    asset: async () => undefined,
  });
  return edge.url;
};

/** A streaming handler: `out` is its response, after the prelude. */
const streaming = (code: string): string => `awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { "content-type": "text/plain", "x-a": "b" }, cookies: ["c=d"] });
  ${code}
})`;

const visit = async (url: string): Promise<IncomingMessage> => {
  const [response] = (await once(get(url, { agent: false }), "response")) as [IncomingMessage];
  return response;
};
/** What comes next, and nothing after it. */
const next = async (response: IncomingMessage): Promise<string> => {
  const [chunk] = (await once(response, "data")) as [Buffer];
  response.pause();
  return chunk.toString();
};
const bytesOf = async (response: IncomingMessage): Promise<number> => {
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
};
const twentyMegabytes = 'for (let i = 0; i < 20; i++) if (!out.write("x".repeat(1_000_000))) await once(out, "drain");';

describe("a handler that streams", () => {
  it("is heard from its first byte on, before it has written the second", async () => {
    const response = await visit(await serve("first", streaming('out.write("one "); await gate("second"); out.end("two");')));
    expect(response.statusCode).toBe(201);
    expect(response.headers).toMatchObject({ "x-a": "b", "set-cookie": ["c=d"] });
    expect(await next(response)).toBe("one ");
    await open("second");
    expect(await text(response)).toBe("two");
    expect(response.complete).toBe(true);
  });

  it("has answered when its stream ends, whatever it does after that", async () => {
    const url = await serve("after", streaming('out.write("all of it"); out.end(); await gate("after");'));
    expect(await text(await visit(url))).toBe("all of it");
    await open("after");
  });

  it("writes no faster than it is read", async () => {
    const url = await serve(
      "slow-reader",
      streaming(`let megabytes = 0;
        for (; megabytes < 100; megabytes++) { gate("wrote/" + megabytes); if (!out.write("x".repeat(1_000_000))) await once(out, "drain"); }
        out.end();`),
    );
    const socket = connect(Number(new URL(url).port), "127.0.0.1").pause();
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    const wrote = () => [...waiting.keys()].filter((gate) => gate.startsWith("/wrote/")).length;
    let [before, unchanged] = [0, 0];
    await until("it writes no more", () => {
      unchanged = wrote() > 0 && wrote() === before ? unchanged + 1 : 0;
      before = wrote();
      return unchanged > 100;
    });
    expect(wrote()).toBeLessThan(40);
    let bytes = 0;
    for await (const chunk of socket) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(100_000_000);
  });

  it("goes on when its visitor leaves, and can be asked again", async () => {
    const url = await serve("left", streaming(`out.write("one "); await gate("left"); ${twentyMegabytes} out.end(); await gate("done");`));
    const response = await visit(url);
    expect(await next(response)).toBe("one ");
    response.destroy();
    await open("left");
    await open("done");
    expect(log).not.toHaveBeenCalled();
    expect(await next(await visit(url))).toBe("one ");
  });

  it("may be longer than a result may be", async () => {
    const url = await serve("long", streaming(`${twentyMegabytes} out.end();`));
    expect(await bytesOf(await visit(url))).toBe(20_000_000);
  });

  it("is read to HEAD as to GET, without its body", async () => {
    const url = await serve("head", streaming('out.write("body"); out.end();'));
    const answer = await fetch(url, { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([201, ""]);
  });
});

describe("an answer that breaks off", () => {
  it.each([
    ["throws", 'throw new Error("halfway");', "halfway"],
    ["exits", "process.exit(3);", "exit status 3"],
    ["takes too long", "await new Promise(() => {});", "Task timed out after 1.00 seconds"],
  ])("after its first byte, because its handler %s, ends the connection", async (what, ends, why) => {
    const timeout = what === "takes too long" ? 1 : 60;
    const name = what.replaceAll(" ", "-");
    const wait = timeout === 1 ? "" : `await gate("${name}");`;
    const response = await visit(await serve(name, streaming(`out.write("one "); ${wait} ${ends}`), "RESPONSE_STREAM", timeout));
    expect(await next(response)).toBe("one ");
    if (wait) await open(name);
    await expect(text(response)).rejects.toThrow("aborted");
    await until("the reason is reported", () => log.mock.calls.length > 0);
    expect(log.mock.calls.join()).toContain(why);
  });

  it("before its first byte is a failure like any other", async () => {
    const response = await visit(await serve("at-once", streaming('throw new Error("at once");').replace(/const out.*\n/, "")));
    expect(response.statusCode).toBe(502);
    expect(log.mock.calls.join()).toContain("at once");
  });

  it("before its prelude is whole is one, too", async () => {
    const handler = `awslambda.streamifyResponse(async (event, stream) => {
      stream.setContentType("application/vnd.awslambda.http-integration-response"); stream.write('{"statusCode":'); stream.end();
    })`;
    expect((await visit(await serve("half-a-prelude", handler))).statusCode).toBe(502);
    expect(log.mock.calls.join()).toContain("before its prelude did");
  });
});

describe("a site's address before its first release", () => {
  it.each(["BUFFERED", "RESPONSE_STREAM"] as const)("says so in its own mode: %s", async (mode) => {
    const code = placeholderCode(mode).replace(/^export const handler = |;\n$/g, "");
    const response = await visit(await serve(`empty-${mode}`, code, mode));
    expect([response.statusCode, await text(response)]).toEqual([503, "Nothing has been deployed here yet."]);
  });
});

describe("an address of the other mode", () => {
  it("that is buffered waits for the whole of a stream, and reads its prelude", async () => {
    const url = await serve("whole", streaming('out.write("one "); await gate("whole"); out.end("two");'), "BUFFERED");
    const answer = visit(url);
    await open("whole");
    expect([(await answer).statusCode, await text(await answer)]).toEqual([201, "one two"]);
  });

  it("that is buffered has no room for a longer stream than a result may be", async () => {
    const url = await serve("too-long", streaming(`${twentyMegabytes} out.end();`), "BUFFERED");
    expect((await visit(url)).statusCode).toBe(502);
    expect(log.mock.calls.join()).toContain("Function.ResponseSizeTooLarge");
    const invoked = await aws.clients.lambda.send(new InvokeCommand({ FunctionName: "too-long", Payload: "{}" }));
    expect(invoked.FunctionError).toBe("Unhandled");
    expect(invoked.Payload?.transformToString()).toContain("Function.ResponseSizeTooLarge");
  });

  it("that streams gives out what a handler returned as it is, and no page: a release of the other mode must not go live there", async () => {
    const url = await serve("returned", 'async () => ({ statusCode: 404, body: "not here" })');
    const response = await visit(url);
    expect([response.statusCode, await text(response)]).toEqual([200, '{"statusCode":404,"body":"not here"}']);
  });

  it("is the function URL's own, by its own name too", async () => {
    await serve("by-url", streaming('out.write("one "); await gate("by-url"); out.end("two");'));
    const on = { FunctionName: "by-url", InvokeMode: "RESPONSE_STREAM" as const };
    const { FunctionUrl = "" } = await aws.clients.lambda.send(new UpdateFunctionUrlConfigCommand(on));
    const response = await visit(addressByNumber(FunctionUrl));
    const [status, first] = [response.statusCode, await next(response)];
    expect([status, first]).toEqual([201, "one "]);
    await open("by-url");
    expect(await text(response)).toBe("two");
  });
});
