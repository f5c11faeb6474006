import { hash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paginateScan } from "@aws-sdk/client-dynamodb";
import type { SQSEvent } from "aws-lambda";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readNudge, readRecorded } from "../../engine/kit/envelope.ts";
import { OutputRefused, readOutput } from "../../engine/open-next/output.ts";
import { isPublic } from "../../engine/webhooks/addresses.ts";
import { DeliveryMessage } from "../../engine/webhooks/delivery.ts";
import { Refused, readTarget } from "../../engine/webhooks/target.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { ArchiveRefused, unzipInto, zipDirectory } from "../../engine/zip/archive.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { BuildStateChange } from "../../services/watch-build/watch-build.ts";

const TOKEN = "a-long-secret-token";
let folder: string;
let endpoint: Endpoint;
let clients: Clients;
let app: ReturnType<typeof createApi>;
const faults: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-fuzz-"));
  endpoint = await startEndpoint({ dataDir: join(folder, "data") });
  clients = awsClients(clientOptions(endpoint));
  await provisionEngine(clients);
  const config = {
    ...localNames,
    sites: [],
    tokens: { me: hash("sha256", TOKEN, "hex") },
  };
  app = createApi(apiPorts(engine(config, clients, systemClock, (line) => faults.push(line))));
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

const text = fc.string({ unit: "binary", maxLength: 80 });
const odd = fc.oneof(
  text,
  fc.constantFrom(
    "../../etc/passwd",
    "%00",
    "%2e%2e%2f",
    "constructor",
    "__proto__",
    "toString",
    "-1",
    "0",
    "1e999",
    "NaN",
    "null",
    "[]",
    "{}",
  ),
  fc.constantFrom("dep_", `dep_${"Z".repeat(26)}`, `wh_${"0".repeat(26)}`, "web", "production", "a".repeat(3_000)),
);
/** Any JSON, mostly with keys that somewhere mean something. */
const keys = fc.constantFrom(
  "site",
  "environment",
  "source",
  "reason",
  "url",
  "kind",
  "to",
  "sha256",
  "bytes",
  "until",
  "force",
  "commit",
  "__proto__",
  "x",
);
const body = fc.oneof(
  text,
  fc.json(),
  fc.dictionary(keys, fc.oneof(fc.jsonValue(), odd), { maxKeys: 6 }).map((value) => JSON.stringify(value)),
);
const path = fc
  .array(
    fc.oneof(
      fc.constantFrom("deployments", "environments", "events", "sources", "webhooks", "seals", "audit", "why", "rollback", "pin", "lock"),
      fc.constantFrom("cancel", "retry", "test", "rotate", "deliveries", "dead-letters", "redrive", "drop", "health", "logs"),
      odd.map(encodeURIComponent),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join("/"));
const query = fc
  .dictionary(fc.constantFrom("limit", "since", "until", "at", "after", "site", "environment", "status", "type", "actor", "x"), odd, {
    maxKeys: 4,
  })
  .map((values) => new URLSearchParams(values).toString());
const headers = fc.dictionary(
  fc.constantFrom("idempotency-key", "x-shiplog-actor", "x-shiplog-client", "content-type", "x-forwarded-for", "content-length", "accept"),
  odd.map((value) => value.replace(/[^\x20-\x7e]/g, "?")),
  { maxKeys: 4 },
);

const commits = async (): Promise<number> => {
  let count = 0;
  for await (const { Items = [] } of paginateScan({ client: clients.dynamodb }, { TableName: EVENTS_TABLE })) count += Items.length;
  return count;
};

describe("the API", () => {
  it("answers whatever it is asked with a clear refusal, and writes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH"),
        path,
        query,
        headers,
        body,
        async (method, path, query, more, body) => {
          const answer = await app.request(`/v1/${path}?${query}`, {
            method,
            headers: { ...more, authorization: `Bearer ${TOKEN}` },
            ...(method === "GET" ? {} : { body }),
          });
          const said = await answer.text();
          expect(answer.status, `${said} ${JSON.stringify(faults.at(-1))}`).toBeLessThan(500);
          if (answer.status < 400) return;
          const { error } = JSON.parse(said) as { error: { code: string; message: string } };
          expect(error.code).toMatch(/^[a-z]+\.[a-z-]+$/);
          expect(error.message.length).toBeGreaterThan(10);
        },
      ),
      { numRuns: 1_500 },
    );
    expect(await commits()).toBe(0);
    expect(faults).toEqual([]);
  });

  it("lets nobody in with a token that is none", async () => {
    await fc.assert(
      fc.asyncProperty(path, odd, async (path, token) => {
        const authorization = `Bearer ${token.replace(/[^\x20-\x7e]/g, "?")}`;
        const { status } = await app.request(`/v1/${path}`, { headers: { authorization } });
        expect(path === "health" ? 401 : status).toBe(401);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a consumer's queue", () => {
  const build = {
    source: fc.constantFrom("aws.codebuild", "x"),
    "detail-type": fc.constantFrom("CodeBuild Build State Change", "x"),
    detail: fc.dictionary(fc.constantFrom("build-id", "build-status", "project-name", "x"), fc.oneof(odd, fc.jsonValue())),
  };
  const recorded = fc.record({
    detail: fc.dictionary(
      fc.constantFrom("id", "stream", "version", "index", "type", "v", "body", "position", "at", "actor", "origin", "cause", "correlation"),
      fc.oneof(odd, fc.jsonValue(), fc.constantFrom("DeploymentQueued", "deployment/dep_1", 1, {})),
    ),
  });
  const message = fc.oneof(
    text,
    fc.json(),
    fc.record(build).map((value) => JSON.stringify(value)),
    recorded.map((value) => JSON.stringify(value)),
  );

  it.each([
    ["CodeBuild's events", (body: string) => BuildStateChange.parse(JSON.parse(body))],
    ["the engine's events", readRecorded],
    ["nudges", readNudge],
    ["deliveries", (body: string) => DeliveryMessage.parse(JSON.parse(body))],
  ] as const)("of %s puts aside what it cannot read, with a reason, and does nothing", async (_, read) => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 10 }), async (bodies) => {
        const readable = bodies.filter((body) => {
          try {
            read(body);
            return true;
          } catch {
            return false;
          }
        });
        const reasons: string[] = [];
        const handled: unknown[] = [];
        const handle = consumer<unknown>(
          6,
          {
            deadLetter: async (_, reason) => void reasons.push(reason),
            retryIn: async () => undefined,
            isOutage: () => false,
            log: () => undefined,
          },
          read,
          async (message) => void handled.push(message),
        );
        const Records = bodies.map((body, index) => ({ messageId: `${index}`, body, attributes: { ApproximateReceiveCount: "1" } }));
        expect(await handle({ Records } as unknown as SQSEvent)).toEqual({ batchItemFailures: [] });
        expect([handled.length, reasons.length]).toEqual([readable.length, bodies.length - readable.length]);
        for (const reason of reasons) expect(reason.length).toBeGreaterThan(5);
      }),
      { numRuns: 400 },
    );
  });
});

describe("a webhook's URL", () => {
  const dotted = fc.ipV4();
  const address = fc.oneof(
    dotted,
    fc.ipV4Extended(),
    fc.ipV6().map((text) => `[${text}]`),
    dotted.map((text) => `[::ffff:${text}]`),
    fc.constantFrom(
      "localhost",
      "127.1",
      "0",
      "2130706433",
      "0x7f.1",
      "017700000001",
      "[::]",
      "[::1%25eth0]",
      "169.254.169.254.",
      "example.com",
    ),
    fc.domain(),
    text,
  );
  const url = fc.oneof(
    text,
    fc.webUrl(),
    fc
      .tuple(
        fc.constantFrom("https://", "http://", "HTTPS:\\\\", "//", "javascript:", "file://"),
        fc.constantFrom("", "user@", "a:b@"),
        address,
        fc.constantFrom("", ":443", ":22", ":0443", "/x", "/%0d%0a"),
      )
      .map((parts) => parts.join("")),
  );

  it("is taken only where it is https and no address that is not public, and refused with a sentence otherwise", () => {
    fc.assert(
      fc.property(url, (said) => {
        let taken: URL;
        try {
          taken = readTarget(said, { allowLoopback: false });
        } catch (error) {
          expect(error).toBeInstanceOf(Refused);
          return;
        }
        expect([taken.protocol, taken.username, taken.password]).toEqual(["https:", "", ""]);
        expect(["", "8443"]).toContain(taken.port);
        const host = taken.hostname.replace(/^\[|\]$/g, "");
        if (/^[\d.]+$|:/.test(host)) expect(isPublic(host)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("an archive", () => {
  let good: Buffer;
  let runs = 0;
  beforeAll(async () => {
    const source = join(folder, "source");
    await mkdir(join(source, "a/b"), { recursive: true });
    await writeFile(join(source, "a/b/one.txt"), "one ".repeat(200));
    await writeFile(join(source, "two.json"), JSON.stringify({ two: 2 }));
    await zipDirectory(source, join(folder, "good.zip"));
    good = await readFile(join(folder, "good.zip"));
  });

  it("with any bytes changed, cut off or added is unpacked as it was or refused, and nothing lies beside it", async () => {
    const damage = fc.oneof(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }).map((changes) => (bytes: Buffer) => {
        const copy = Buffer.from(bytes);
        for (const [where, value] of changes) copy[where % copy.length] = value;
        return copy;
      }),
      fc.nat().map((where) => (bytes: Buffer) => bytes.subarray(0, where % bytes.length)),
      fc.uint8Array({ maxLength: 300 }).map((more) => (bytes: Buffer) => Buffer.concat([bytes, more])),
      fc.uint8Array({ maxLength: 300 }).map((all) => () => Buffer.from(all)),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (change) => {
        const room = join(folder, `room-${runs++}`);
        await mkdir(room);
        await writeFile(join(room, "bad.zip"), change(good));
        try {
          await unzipInto(join(room, "bad.zip"), join(room, "out"));
        } catch (error) {
          expect(error).toBeInstanceOf(ArchiveRefused);
          expect((error as Error).message.length).toBeGreaterThan(10);
        }
        expect((await readdir(room)).filter((name) => name !== "bad.zip" && name !== "out")).toEqual([]);
        await rm(room, { recursive: true, force: true });
      }),
      { numRuns: 400 },
    );
  });
});

describe("a build's own description of itself", () => {
  it("is read or refused with a sentence, whatever it holds", () => {
    const part = fc.dictionary(
      fc.constantFrom("type", "handler", "bundle", "streaming", "origins", "pattern", "x"),
      fc.oneof(fc.jsonValue(), odd),
    );
    const output = fc.dictionary(
      fc.constantFrom("edgeFunctions", "origins", "behaviors", "additionalProps", "x"),
      fc.oneof(part, fc.array(part), fc.jsonValue()),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.json(),
          output.map((value) => JSON.stringify(value)),
        ),
        (said) => {
          try {
            readOutput(said);
          } catch (error) {
            expect(error).toBeInstanceOf(OutputRefused);
            expect((error as Error).message.length).toBeGreaterThan(10);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
