import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { liveKey } from "../../blueprint/edge-table.ts";
import { ask } from "../support/ask.ts";
import { DISTRIBUTION, release, returned, type StubEdge, startStubEdge } from "../support/stub-edge.ts";

let edge: StubEdge;
beforeEach(async () => {
  edge = await startStubEdge();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await edge.close();
});

describe("A request to a function", () => {
  test("arrives as a Function URL event", async () => {
    await ask(edge.url, "/a%20b/%5Bid%5D?x=1&x=%202", {
      headers: {
        host: "web.localhost:3000",
        cookie: "a=1; b=2",
        "User-Agent": "curl",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Shiplog-Deployment": "dep_forged",
        connection: "close, x-secret-hop",
        "x-secret-hop": "1",
        te: "trailers",
      },
    });
    expect(edge.events).toEqual([
      {
        target: "server7",
        event: {
          version: "2.0",
          routeKey: "$default",
          rawPath: "/a%20b/%5Bid%5D",
          rawQueryString: "x=1&x=%202",
          cookies: ["a=1", "b=2"],
          headers: {
            host: "web.localhost:3000",
            "user-agent": "curl",
            "x-forwarded-for": "203.0.113.9, 127.0.0.1",
            "x-forwarded-host": "web.localhost:3000",
            "x-forwarded-proto": "http",
            "x-shiplog-deployment": release(7),
            "x-shiplog-release": "7",
          },
          requestContext: {
            accountId: "anonymous",
            apiId: "edge",
            domainName: "web.localhost",
            http: { method: "GET", path: "/a%20b/%5Bid%5D", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "curl" },
            requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
            routeKey: "$default",
            stage: "$default",
            timeEpoch: expect.any(Number),
          },
          isBase64Encoded: false,
        },
      },
    ]);
  });

  test.each([
    ["text", "application/json", Buffer.from('{"a":"ö"}'), '{"a":"ö"}', false],
    ["a form", "application/x-www-form-urlencoded", Buffer.from("a=1"), "a=1", false],
    ["a file", "multipart/form-data; boundary=x", Buffer.from("--x"), "LS14", true],
    ["bytes that only claim to be text", "text/plain", Buffer.from([0xff, 0xfe]), "//4=", true],
  ])("carries %s", async (_what, type, body, expected, isBase64Encoded) => {
    await ask(edge.url, "/api/hello", { method: "POST", headers: { "content-type": type }, body });
    expect(edge.events[0]?.event).toMatchObject({ body: expected, isBase64Encoded, requestContext: { http: { method: "POST" } } });
  });

  test("goes to the image function when it asks for a picture", async () => {
    expect((await ask(edge.url, "/_next/image?url=a&w=1&q=2")).text).toBe("from image7");
  });

  test("is refused when it is larger than Lambda takes, and nothing is invoked", async () => {
    const file = { method: "POST", headers: { "content-type": "application/octet-stream" } };
    expect((await ask(edge.url, "/", { ...file, body: Buffer.alloc(4_000_000) })).status).toBe(200);
    expect((await ask(edge.url, "/", { ...file, body: Buffer.alloc(5_000_000) })).status).toBe(413);
    expect((await ask(edge.url, "/", { ...file, body: Buffer.alloc(9_000_000) })).status).toBe(413);
    expect(edge.events).toHaveLength(1);
  });

  test("for a WebSocket is refused", async () => {
    expect((await ask(edge.url, "/", { headers: { connection: "upgrade", upgrade: "websocket" } })).status).toBe(501);
  });
});

describe("A function's answer", () => {
  test("is sent with its status, headers, cookies and bytes, and names the release that was executed", async () => {
    edge.function = () =>
      returned(
        {
          statusCode: 201,
          headers: {
            "Content-Type": "image/png",
            "x-shiplog-deployment": "dep_forged",
            connection: "close",
            "content-length": "99",
            link: "none",
          },
          multiValueHeaders: { link: ["a", "b"] },
          cookies: ["a=1; Path=/", "b=2"],
          body: Buffer.from([0, 255, 1]).toString("base64"),
          isBase64Encoded: true,
        },
        `seq=8 dep=${release(8)}`,
      );
    const { status, headers, body } = await ask(edge.url, "/");
    expect(status).toBe(201);
    expect([...body]).toEqual([0, 255, 1]);
    expect(headers).toMatchObject({
      "content-type": "image/png",
      "content-length": "3",
      link: "a, b",
      "set-cookie": ["a=1; Path=/", "b=2"],
      // what really ran, and the number of the row that led there
      "x-shiplog-deployment": release(8),
      "x-shiplog-sequence": "7",
    });
  });

  test("to HEAD has no body, but the length that GET would have", async () => {
    const { headers, body } = await ask(edge.url, "/", { method: "HEAD" });
    expect({ length: headers["content-length"], body: body.length }).toEqual({ length: "12", body: 0 });
  });

  test("without a status is the body of a 200, as Function URLs have it", async () => {
    edge.function = () => returned({ hello: "world" });
    const { status, text } = await ask(edge.url, "/");
    expect({ status, text }).toEqual({ status: 200, text: '{"hello":"world"}' });
  });
});

describe("When the site can not answer", () => {
  const failures: [string, StubEdge["function"]][] = [
    ["the function failed", () => ({ ...returned({ errorMessage: "secret in a stack" }), functionError: "Unhandled" })],
    ["the function answered no JSON", () => ({ ...returned(0), payload: Buffer.from("secret <html>") })],
    ["it could not be invoked", () => Promise.reject(new Error("secret socket"))],
    ["its answer can not be sent", () => returned({ statusCode: 200, headers: { "x-secret": "a\r\nb: c" } })],
    ["its status is none", () => returned({ statusCode: 20000, headers: { "x-secret": "1" } })],
  ];

  test.each(failures)("because %s, the client gets 502 with a number to look for, and the log the reason", async (_why, fails) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    edge.function = fails;
    const { status, text, headers } = await ask(edge.url, "/");
    expect(status).toBe(502);
    expect(text + JSON.stringify(headers)).not.toContain("secret");
    expect(text).toContain(headers["x-shiplog-request"]);
    expect(log).toHaveBeenCalledOnce();
    expect(log.mock.calls[0]?.[0]).toContain(headers["x-shiplog-request"]);
  });

  test("because nothing was deployed, it says how to deploy", async () => {
    edge.live = undefined;
    edge.rows.set(liveKey(DISTRIBUTION), "");
    const { status, text } = await ask(edge.url, "/");
    expect(status).toBe(503);
    expect(text).toContain("shiplog deploy");
    expect(edge.events).toEqual([]);
  });
});

describe("The edge", () => {
  test("speaks https on the same port, and says so to the function", async () => {
    const { text } = await ask(edge.url.replace("http:", "https:"), "/", { ca: edge.ca });
    expect(text).toBe("from server7");
    expect(edge.events[0]?.event.headers).toMatchObject({ "x-forwarded-proto": "https", host: `127.0.0.1:${edge.port}` });
  });

  test("outlives clients that go away in the middle of a request, of an answer, or before either", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    edge.function = () => new Promise((answer) => setTimeout(() => answer(returned({ statusCode: 200, body: "late" })), 30));
    for (const text of [
      "",
      "\x16\x03",
      "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\nhalf",
      "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ]) {
      const socket = connect(edge.port, "127.0.0.1", () => socket.write(text || "G", () => socket.resetAndDestroy()));
      await new Promise((closed) => socket.once("close", closed));
    }
    await new Promise((later) => setTimeout(later, 60));
    expect((await ask(edge.url, "/")).text).toBe("late");
    expect(log).not.toHaveBeenCalled();
  });

  test("answers many requests over one kept connection", async () => {
    for (let i = 0; i < 20; i++) expect(await (await fetch(`${edge.url}/ssr`)).text()).toBe("from server7");
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${edge.url}/ssr`).then((answer) => answer.text())));
    expect(new Set(answers)).toEqual(new Set(["from server7"]));
  });
});
