import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostOptions, poster } from "../../engine/webhooks/post.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const options = (more: Partial<PostOptions> = {}): PostOptions => ({
  lookup: async () => ["127.0.0.1"],
  allowLoopback: true,
  timeoutMs: 1_000,
  ...more,
});
const post = (path: string, more: Partial<PostOptions> = {}) => poster(options(more))(receiver.url(path), { "x-one": "1" }, '{"a":1}');

describe("a request", () => {
  it("arrives as it is, and its answer comes back", async () => {
    expect(await post("ok")).toEqual({ status: 200, fault: null, retryAfter: null, answer: "ok" });
    expect((await receiver.at("ok"))[0]).toMatchObject({ body: '{"a":1}', headers: { "x-one": "1", "content-type": "application/json" } });
  });
  it("follows no redirect", async () => {
    const before = await receiver.all();
    expect(await post("redirect")).toMatchObject({ status: 302, fault: null });
    expect((await receiver.all()).slice(before.length).map(({ path }) => path)).toEqual(["/redirect"]);
  });
  it("tells how long to wait", async () => {
    expect(await post("busy")).toMatchObject({ status: 429, retryAfter: "7" });
  });
  it("ends with a reason where there is no answer in time", async () => {
    expect(await post("hang", { timeoutMs: 300 })).toEqual({
      status: null,
      fault: "no complete answer within 0.3 seconds",
      retryAfter: null,
      answer: null,
    });
  });
  it("ends with a reason where the name takes too long to resolve", async () => {
    const slow = poster(options({ lookup: () => new Promise(() => undefined), timeoutMs: 200 }));
    expect((await slow("https://hook.example/x", {}, "{}")).fault).toBe("no complete answer within 0.2 seconds");
  });
  it("ends with a reason where the answer does not end, and keeps one kilobyte of it", async () => {
    const { fault, answer } = await post("huge", { timeoutMs: 5_000 });
    expect([fault, answer?.length]).toEqual(["its answer is larger than 64 KB", 1_024]);
  });
  it("says what went wrong without the URL", async () => {
    const { fault } = await poster(options())("http://127.0.0.1:9/a-secret", {}, "{}");
    expect(fault).toBe("it refuses connections");
  });
});

describe("an address that is not public", () => {
  const strict = (addresses: () => readonly string[]) => poster({ lookup: async () => addresses(), allowLoopback: false, timeoutMs: 300 });

  it("is refused, also behind a name", async () => {
    const send = strict(() => ["169.254.169.254"]);
    expect((await send("https://169.254.169.254/x", {}, "{}")).fault).toBe("its address 169.254.169.254 is not a public one");
    expect((await send("https://hook.example/x", {}, "{}")).fault).toBe(
      "its name hook.example resolves to 169.254.169.254, which is not a public address",
    );
  });

  it("is not reached by a name that changes between the check and the connection, and is refused at the next attempt", async () => {
    const before = await receiver.all();
    let lookups = 0;
    // public when it is checked, this machine from then on
    const send = strict(() => (lookups++ === 0 ? ["192.31.196.1"] : ["127.0.0.1"]));
    const first = await send("https://hook.example/x", {}, "{}");
    expect([lookups, first.status]).toEqual([1, null]);
    expect(first.fault).not.toContain("refuses connections");
    expect((await send("https://hook.example/x", {}, "{}")).fault).toContain("resolves to 127.0.0.1");
    expect(await receiver.all()).toEqual(before);
  });
});

it("the name stays in the certificate's check and in the Host header, though the connection is made to the address", async () => {
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  const seen: unknown[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    seen.push([request.headers.host, (request.socket as unknown as { servername: string }).servername]);
    response.end("ok");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const send = poster(options({ ca: cert }));
    expect((await send(`https://localhost:${port}/x`, {}, "{}")).status).toBe(200);
    expect(seen).toEqual([[`localhost:${port}`, "localhost"]]);
    // another name's certificate does not do
    expect((await send(`https://127.0.0.1:${port}/x`, {}, "{}")).fault).toBe("the request failed (ERR_TLS_CERT_ALTNAME_INVALID)");
  } finally {
    server.close();
  }
});
