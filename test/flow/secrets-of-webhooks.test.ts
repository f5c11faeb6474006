import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import type { Delivery } from "../../domain/webhook/delivery.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { everyObject, foundIn, foundInBytes, foundInFolder, type Secrets, textOfTable } from "../support/secret-search.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";
import { startWorld, type World } from "../support/world.ts";

/** A value that is nowhere else. */
const unique = (name: string): string => `${name}${randomBytes(15).toString("hex")}`;
/** No secret: it shows that the search sees what it looks through. */
const CONTROL = unique("control");
const VARIABLE = unique("variable");
/** How each endpoint behaves (test/support/webhook-receiver.mjs), and the part of its URL that is secret. */
const BEHAVIOURS = ["ok", "broken", "echo", "gone", "redirect", "slack", "closed"] as const;
type Behaviour = (typeof BEHAVIOURS)[number];
const paths = Object.fromEntries(BEHAVIOURS.map((behaviour) => [behaviour, unique(behaviour)])) as Record<Behaviour, string>;

let world: World;
let receiver: Receiver;
let secrets: Secrets;
const ids = {} as Record<Behaviour, string>;
/** What `add` and `rotate` print: the signing secret, this once. */
const signing: Record<string, string> = {};
const told: { words: string; text: string }[] = [];

const shiplog = async (...words: string[]): Promise<string> => {
  const { out, err } = await runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });
  if (words[1] !== "add" && words[1] !== "rotate") told.push({ words: words.join(" "), text: out + err });
  return out;
};
const add = async (behaviour: Behaviour): Promise<void> => {
  const kind = behaviour === "slack" ? "slack" : "standard";
  const answers = behaviour === "slack" ? "ok" : behaviour;
  const url = behaviour === "closed" ? `http://127.0.0.1:1/closed/${paths.closed}` : receiver.url(`${answers}/${paths[behaviour]}`);
  const { status, body, text } = await world.api.post("webhooks", { kind, url });
  if (status !== 201) throw new Error(text);
  expect(text).not.toContain(paths[behaviour]);
  ids[behaviour] = body.webhook.id;
  if (body.secret !== null) signing[`signing secret of ${behaviour}`] = body.secret.replace("whsec_", "");
};
const deliveries = async (behaviour: Behaviour): Promise<Delivery[]> =>
  (await world.api.get(`webhooks/${ids[behaviour]}/deliveries?limit=200`)).body.deliveries;

beforeAll(async () => {
  receiver = await startReceiver();
  world = await startWorld({
    environments: ["production"],
    site: { variables: ["MARKED"] },
    variables: { MARKED: VARIABLE },
    allowLoopbackWebhooks: true,
  });
  for (const behaviour of BEHAVIOURS) await add(behaviour);
  await until("every endpoint to be listed", async () => (await world.api.get("webhooks")).body.webhooks.length === BEHAVIOURS.length);

  const first = await world.live("production");
  await world.reached(await world.deploy("production", { failsWith: "no" }), "failed");
  await world.live("production");
  await world.api.rollback("web", "production", first);
  await world.api.change("web", "production", "unpin");
  await world.api.change("web", "production", "pin", { reason: CONTROL });
  await until("an attempt at each endpoint", async () =>
    (await Promise.all(BEHAVIOURS.map(deliveries))).every((all) => all.some(({ attempts }) => attempts > 0)),
  );
  await until("the one that is gone to be a dead letter", async () => (await world.api.get("dead-letters")).body.letters.length > 0);
  signing["rotated signing secret"] = JSON.parse(await shiplog("webhooks", "rotate", ids.broken, "--json")).secret.replace("whsec_", "");
  await shiplog("webhooks", "test", ids.ok);
  await shiplog("webhooks", "test", ids.echo);

  await world.dev.engine.archive.seal("only what is new");

  const kms = await readFile(join(world.folder, "data/kms.json"), "utf8");
  const privateKey = /-----BEGIN PRIVATE KEY-----\\n([\w+/=]+)/.exec(kms)?.[1] ?? /"([\w+/=]{60,})"/.exec(kms)?.[1] ?? "no key was found";
  secrets = {
    ...Object.fromEntries(BEHAVIOURS.map((behaviour) => [`URL of ${behaviour}`, paths[behaviour]])),
    ...signing,
    variable: VARIABLE,
    token: world.dev.token,
    "access key": world.dev.aws.endpoint.credentials.secretAccessKey,
    "key of seals": privateKey,
  };
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

describe("the URL and the secret of a webhook, a variable, the token and the key of the seals", () => {
  it("lie in the files that are theirs, which only their owner may read, and in no other", async () => {
    const endpoints = Object.keys(secrets).filter((name) => /^URL|signing/.test(name));
    const places = await foundInFolder(join(world.folder, "data"), secrets);
    expect(places.map(({ holds, ...place }) => ({ ...place, holds: [...holds].sort() }))).toEqual([
      { file: "access-key.json", mode: "600", holds: ["access key"] },
      { file: "connection.json", mode: "600", holds: ["access key", "token"] },
      { file: "kms.json", mode: "600", holds: ["key of seals"] },
      // as on AWS a function's configuration has the values that its code is given
      { file: "lambda/functions/shiplog-web-production-server.json", mode: "600", holds: ["variable"] },
      { file: "memory.json", mode: "600", holds: ["token"] },
      { file: "secrets.json", mode: "600", holds: [...endpoints, "variable"].sort() },
    ]);
  });

  it("are in no table and in no object: neither in a source, an artifact nor a sealed segment", async () => {
    const { dynamodb, s3 } = world.aws.clients;
    for (const TableName of [EVENTS_TABLE, VIEWS_TABLE]) {
      const text = await textOfTable(dynamodb, TableName);
      expect([TableName, foundIn(text, { ...secrets, control: CONTROL })]).toEqual([TableName, ["control"]]);
    }
    const found: [string, readonly string[]][] = [];
    for await (const [name, bytes] of everyObject(s3))
      found.push([name.replace(/\/.*/, ""), await foundInBytes(bytes, { ...secrets, control: CONTROL })]);
    expect(found.filter(([, holds]) => holds.length > 0)).toEqual([[world.dev.engine.config.buckets.archive, ["control"]]]);
    expect(new Set(found.map(([bucket]) => bucket)).size).toBeGreaterThan(2);
  });

  it("are in no line that the engine logs", () => {
    expect(world.lines.length).toBeGreaterThan(0);
    expect(world.lines.filter((line) => foundIn(line, secrets).length > 0)).toEqual([]);
  });

  it("are in no answer of the API", async () => {
    const { get } = world.api;
    const paths = ["environments", "deployments", "events?limit=1000", "audit", "seals", "dead-letters", "webhooks", "nowhere"];
    for (const { id } of (await get("deployments")).body.deployments) paths.push(`deployments/${id}`, `deployments/${id}/logs`);
    for (const more of ["", "/events", "/why"]) paths.push(`environments/web/production${more}`);
    for (const behaviour of BEHAVIOURS) {
      paths.push(`webhooks/${ids[behaviour]}`, `webhooks/${ids[behaviour]}/deliveries?limit=200`);
      for (const { id } of await deliveries(behaviour)) paths.push(`webhooks/${ids[behaviour]}/deliveries/${id}`);
    }
    let all = "";
    for (const path of paths) {
      const { text } = await get(path);
      expect([path, foundIn(text, secrets)]).toEqual([path, []]);
      all += text;
    }
    expect(foundIn(all, { control: CONTROL })).toEqual(["control"]);
    // what failed is told, and with a reason
    expect(all).toContain("no such hook ***");
    expect(all).toContain("it answered 500");
    expect(all).toContain("redirects are not followed");
    expect(all).toContain("it refuses connections");
  });

  it("are not in the answer that refuses a URL", async () => {
    const marked = unique("refused");
    for (const url of [`http://example.com/${marked}`, `https://a:${marked}@example.com/`, `https://10.0.0.1/${marked}`, `${marked}`]) {
      const { status, text } = await world.api.post("webhooks", { kind: "standard", url });
      expect([status, text.includes(marked)]).toEqual([400, false]);
    }
    expect(world.lines.filter((line) => line.includes(marked))).toEqual([]);
  });

  it("are in nothing that the command line prints, or writes into an export", async () => {
    const out = join(world.folder, "export");
    for (const words of [
      "list",
      "status",
      "why",
      "audit",
      "audit --csv",
      "audit --cloudevents",
      "audit --json",
      `audit export --out ${out}`,
      `audit verify ${out}`,
      "events",
      "events --json",
      "events --dead-letters",
      "quarantine ls",
      "quarantine ls --json",
      "webhooks ls",
      `webhooks deliveries ${ids.broken}`,
    ])
      await shiplog(...words.split(" "));
    const { id = "" } = (await deliveries("echo")).find(({ tries }) => tries.length > 0) ?? {};
    await shiplog("webhooks", "deliveries", ids.echo, id);
    for (const { words, text } of told) expect([words, foundIn(text, secrets)]).toEqual([words, []]);
    expect(told.filter(({ text }) => text.includes(CONTROL)).map(({ words }) => words)).toEqual(
      expect.arrayContaining(["status", "audit", "audit --csv", "audit --cloudevents", "audit --json", "events", "events --json"]),
    );
    expect(await foundInFolder(out, { ...secrets, control: CONTROL })).toMatchObject([
      { file: expect.stringMatching(/^segments\//), holds: ["control"] },
    ]);
  });

  it("are gone from everywhere when an endpoint is removed", async () => {
    const marked = { url: unique("removed") };
    const { body } = await world.api.post("webhooks", { kind: "slack", url: receiver.url(`ok/${marked.url}`), types: ["FlipFailed"] });
    const places = async () => (await foundInFolder(join(world.folder, "data"), marked)).map(({ file }) => file);
    expect(await places()).toEqual(["secrets.json"]);
    await world.api.post(`webhooks/${body.webhook.id}/remove`);
    expect(await places()).toEqual([]);
  });
});

describe("the search itself", () => {
  it("finds a value in a zip, gzipped, in base64 and in hex", async () => {
    const { gzipSync } = await import("node:zlib");
    const of = { value: VARIABLE };
    const packed = gzipSync(gzipSync(`before ${VARIABLE} behind`));
    expect(gunzipSync(packed).includes(VARIABLE)).toBe(false);
    expect(await foundInBytes(packed, of)).toEqual(["value"]);
    for (const before of ["", "a", "ab", "abc"])
      expect(foundIn(Buffer.from(`${before}${VARIABLE}z`).toString("base64"), of)).toEqual(["value"]);
    expect(foundIn(Buffer.from(VARIABLE).toString("hex"), of)).toEqual(["value"]);
    expect(foundIn("nothing", of)).toEqual([]);
  });
});
