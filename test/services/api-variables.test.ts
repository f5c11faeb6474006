import { hash } from "node:crypto";
import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { EVENTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { newLedger, readDocument, writeDocument } from "../../engine/aws/site-document.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import { type Answer, type ApiRoom, OTHER_TOKEN, openApiRoom, TOKEN } from "../support/api-room.ts";
import { inLog } from "../support/in-log.ts";
import { artifact, check, functions, release, request } from "../support/samples.ts";
import { textOfTable } from "../support/secret-search.ts";
import { siteConfigOf } from "../support/site-config.ts";

const ACTIONS = "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY";
const NAMES = ["API_KEY", "API_URL", "PIN", "constructor"];
/** One environment for each test: they do not see each other's. */
const PLACES = 40;

let place = "e0";
let used = 0;
/** What happens instead of a command to an environment. */
let instead: ((type: string) => Promise<void>) | undefined;

const sites = Array.from({ length: PLACES }, (_, n) => ({
  ...siteConfigOf("web", `e${n}`),
  variables: NAMES,
  valuesReadableBy: ["default"],
}));
let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites }, (ports, { aggregates }) => {
    const { environment } = aggregates;
    const execute: Aggregates["environment"]["execute"] = async (...given) => {
      const [, , command] = given;
      if (command.type !== "SetVariables" || command.variables.length > 0) await instead?.(command.type);
      return environment.execute(...given);
    };
    return { ...ports, aggregates: { ...aggregates, environment: { ...environment, execute } } };
  });
}, 60_000);
afterAll(() => room.close());
const secretOf = () => siteResources("web", place).secret;
beforeEach(async () => {
  used += 1;
  place = `e${used}`;
  instead = undefined;
  const SecretString = writeDocument({ values: { [ACTIONS]: "k", PIN: "" }, ledger: newLedger() });
  await room.clients.secrets.send(new CreateSecretCommand({ Name: secretOf(), SecretString }));
});

const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}, token = TOKEN) =>
  room.ask(method, `/environments/web/${place}/${path}`, body, { authorization: `Bearer ${token}`, ...headers });
const set = (values: Record<string, string>, key?: string, token?: string) =>
  ask("PUT", "variables", { values }, key === undefined ? {} : { "idempotency-key": key }, token);
const remove = (name: string, key?: string) =>
  ask("DELETE", `variables/${name}`, undefined, key === undefined ? {} : { "idempotency-key": key });
const list = () => ask("GET", "variables");
const one = async (name: string) => (await list()).body.variables.find((variable: { name: string }) => variable.name === name);
const held = async () => {
  const { SecretString = "" } = await room.clients.secrets.send(new GetSecretValueCommand({ SecretId: secretOf() }));
  return readDocument(SecretString, "it");
};
const put = (SecretString: string) => room.clients.secrets.send(new PutSecretValueCommand({ SecretId: secretOf(), SecretString }));
const events = async () => (await room.engine.store.read(environmentStream("web", place), 0)).flatMap(eventsOf);
const told = async () => (await events()).map(({ type, body }) => [type, (body as { name?: string }).name ?? ""].join(" "));
const refusal = ({ status, body }: Answer) => [status, body.error?.code];
/** What a crash leaves: the command is not carried out. */
const crash = async (): Promise<void> => {
  instead = undefined;
  throw new Error("the power went");
};

describe("a variable", () => {
  it("is set, listed without its value, and told in the log with who did it and a fingerprint", async () => {
    const answer = await set({ API_KEY: "hunter2", API_URL: "https://x" });
    expect(answer).toMatchObject({ status: 200, body: { changed: ["API_KEY", "API_URL"], live: null } });
    expect(answer.text).not.toContain("hunter2");
    expect((await held()).values).toMatchObject({ API_KEY: "hunter2", API_URL: "https://x", [ACTIONS]: "k" });
    expect(await told()).toEqual(["VariableSet API_KEY", "VariableSet API_URL"]);
    const [first] = await events();
    const fingerprint = (first?.body as { fingerprint: string } | undefined)?.fingerprint;
    expect(first).toMatchObject({
      actor: await inLog(room.engine, "alice (token default)"),
      body: { revision: 1, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(await one("API_KEY")).toEqual({
      name: "API_KEY",
      declared: true,
      value: "set",
      fingerprint,
      at: first?.at,
      by: "alice (token default)",
      changed: null,
    });
    expect(await one("PIN")).toMatchObject({ value: "empty", at: null });
    expect(await one("constructor")).toMatchObject({ value: "none", fingerprint: null });
  });

  it("that has this value already is no news; with another, or an empty one, it is", async () => {
    await set({ API_KEY: "a" });
    expect((await set({ API_KEY: "a", API_URL: "b" })).body.changed).toEqual(["API_URL"]);
    expect((await set({ API_KEY: "" })).body.changed).toEqual(["API_KEY"]);
    expect(await told()).toEqual(["VariableSet API_KEY", "VariableSet API_URL", "VariableSet API_KEY"]);
  });

  it("that the environment of a start gave becomes one that was set, though its value stays", async () => {
    expect((await set({ PIN: "" })).body.changed).toEqual(["PIN"]);
    expect((await held()).ledger?.set).toEqual({ PIN: 1 });
  });

  it("is removed, once", async () => {
    await set({ API_KEY: "a" });
    expect(await remove("API_KEY")).toMatchObject({ status: 200, body: { changed: ["API_KEY"] } });
    expect(await remove("API_KEY")).toMatchObject({ status: 200, body: { changed: [] } });
    expect(refusal(await remove("API_URL"))).toEqual([404, "variable.unknown"]);
    expect(await told()).toEqual(["VariableSet API_KEY", "VariableRemoved API_KEY"]);
    expect((await held()).values).toEqual({ [ACTIONS]: "k", PIN: "" });
    expect(await one("API_KEY")).toMatchObject({ value: "none", by: "alice (token default)" });
    await set({ API_KEY: "a" });
    expect((await events()).at(-1)?.body).toMatchObject({ revision: 3 });
  });

  it("that the site does not declare is refused with how to declare it; one that it declares no more can be removed", async () => {
    const answer = await set({ API_KEY: "a", OTHER: "hunter2" });
    expect(refusal(answer)).toEqual([409, "variable.undeclared"]);
    expect(answer.body.error.message).toContain('add the name to "variables" of the site in the sites file');
    expect(answer.text).not.toContain("hunter2");
    expect((await held()).values).toEqual({ [ACTIONS]: "k", PIN: "" });
    await put(writeDocument({ ...(await held()), values: { [ACTIONS]: "k", OTHER: "x" } }));
    // nothing is live, or would be given it
    expect(await one("OTHER")).toMatchObject({ declared: false, value: "set", changed: null });
    expect((await remove("OTHER")).status).toBe(200);
  });

  it("may be the key of Server Actions, which must be one and stays", async () => {
    expect(refusal(await set({ [ACTIONS]: "short" }))).toEqual([400, "body.invalid"]);
    expect((await set({ [ACTIONS]: Buffer.alloc(32, 7).toString("base64") })).status).toBe(200);
    expect(refusal(await remove(ACTIONS))).toEqual([409, "variable.needed"]);
  });

  it.each([
    ["a value that is too long", { values: { API_KEY: "x".repeat(5_000) } }, 400, "body.invalid"],
    ["a NUL", { values: { API_KEY: "a\0b" } }, 400, "body.invalid"],
    ["no variable", { values: {} }, 400, "body.invalid"],
    ["a number", { values: { API_KEY: 1 } }, 400, "body.invalid"],
    ["more than Lambda takes", { values: { API_KEY: "x".repeat(2_000), API_URL: "y".repeat(2_000) } }, 409, "variables.large"],
  ])("with %s is refused, nothing is changed, and the answer does not quote it", async (_, body, status, code) => {
    const answer = await ask("PUT", "variables", body);
    expect(refusal(answer)).toEqual([status, code]);
    expect(answer.text).not.toMatch(/x{9}|a.?b"/);
    expect([(await held()).values, await told()]).toEqual([{ [ACTIONS]: "k", PIN: "" }, []]);
  });

  it("counts with all that servers are given, also what others set at the same time", async () => {
    expect((await set({ API_KEY: "x".repeat(1_800) })).status).toBe(200);
    const answer = await set({ API_URL: "y".repeat(2_000) });
    expect(refusal(answer)).toEqual([409, "variables.large"]);
    expect(answer.body.error.message).toMatch(/would be \d{4} bytes .* Lambda takes 4096/);
  });
});

describe("a request to set", () => {
  it("with the same key is done once, and does not undo what others set since", async () => {
    await set({ API_KEY: "mine" }, "key-1");
    await set({ API_KEY: "theirs" }, "key-2", OTHER_TOKEN);
    expect(await set({ API_KEY: "mine" }, "key-1")).toMatchObject({ status: 200, body: { changed: ["API_KEY"] } });
    expect((await held()).values.API_KEY).toBe("theirs");
    expect(refusal(await set({ API_KEY: "another" }, "key-1"))).toEqual([422, "key.reused"]);
  });

  it("leaves nothing in any row from which a short value could be guessed", async () => {
    const values = { PIN: "1234" };
    await set(values, "key-3");
    const path = `/v1/environments/web/${place}/variables`;
    const guesses = [
      JSON.stringify([path, await inLog(room.engine, "alice (token default)"), JSON.stringify({ values })]),
      ...["1234", "PIN\x001234", JSON.stringify({ values })],
    ].flatMap((text) => (["hex", "base64url", "base64"] as const).map((as) => hash("sha256", text, as).slice(0, 12)));
    for (const TableName of [EVENTS_TABLE, VIEWS_TABLE]) {
      const text = await textOfTable(room.clients.dynamodb, TableName);
      expect(guesses.filter((guess) => text.includes(guess))).toEqual([]);
    }
  });

  it("that comes at the same time as others loses none of theirs, and the log ends as the secret does", async () => {
    const values = Array.from({ length: 8 }, (_, n) => `v${n}`);
    const answers = await Promise.all([...values.map((value) => set({ API_KEY: value })), set({ API_URL: "u" }), set({ PIN: "p" })]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { values: kept } = await held();
    expect(kept).toMatchObject({ API_URL: "u", PIN: "p", API_KEY: expect.stringMatching(/^v\d$/) });
    // who set the value that stays is known: whichever event was written last
    expect(await one("API_KEY")).toMatchObject({ by: "alice (token default)" });
    expect((await told()).filter((line) => line === "VariableSet API_KEY")).toHaveLength(8);
  });
});

describe("a crash between the secret and the log", () => {
  it.each(["the same key", "another key"])("of a set is seen by who lists, and mended by a repeat with %s", async (which) => {
    instead = crash;
    expect((await set({ API_KEY: "a" }, `set-${which.length}`)).status).toBe(500);
    expect(JSON.stringify(room.reported)).not.toContain('"a"');
    expect(await told()).toEqual([]);
    expect(await one("API_KEY")).toMatchObject({ value: "set", at: null, by: null });
    expect((await set({ API_KEY: "a" }, which === "the same key" ? `set-${which.length}` : "fresh-set")).body.changed).toEqual(["API_KEY"]);
    expect(await told()).toEqual(["VariableSet API_KEY"]);
    expect(await one("API_KEY")).toMatchObject({ by: "alice (token default)" });
    expect((await set({ API_KEY: "a" })).body.changed).toEqual([]);
  });

  it("of a removal is, too", async () => {
    await set({ API_KEY: "a" });
    instead = crash;
    expect((await remove("API_KEY")).status).toBe(500);
    expect(await one("API_KEY")).toMatchObject({ value: "none", at: null });
    expect((await remove("API_KEY")).body.changed).toEqual(["API_KEY"]);
    expect(await told()).toEqual(["VariableSet API_KEY", "VariableRemoved API_KEY"]);
  });

  it("gives no value out that no event tells of", async () => {
    await set({ API_KEY: "hunter2" });
    instead = crash;
    const answer = await ask("POST", "variables/read");
    expect([answer.status, answer.text.includes("hunter2")]).toEqual([500, false]);
  });
});

describe("values", () => {
  it("are read by the tokens that the environment names, each time with an event; not the key of Server Actions", async () => {
    await set({ API_KEY: "hunter2" });
    const answer = await ask("POST", "variables/read", {}, {}, OTHER_TOKEN);
    expect([refusal(answer), answer.text.includes("hunter2")]).toEqual([[403, "variables.closed"], false]);
    const open = await ask("POST", "variables/read", {});
    expect(open).toMatchObject({ status: 200, body: { values: { API_KEY: "hunter2", PIN: "" } } });
    expect(open.body.values).not.toHaveProperty(ACTIONS);
    expect(open.headers.get("cache-control")).toBe("no-store");
    expect((await events()).at(-1)).toMatchObject({
      type: "VariablesRead",
      actor: await inLog(room.engine, "alice (token default)"),
      body: { names: ["API_KEY", "PIN"] },
    });
    await ask("POST", "variables/read");
    expect((await told()).filter((line) => line.startsWith("VariablesRead"))).toHaveLength(2);
  });

  it("are recorded each time they are read, also with a key that came before", async () => {
    for (const value of ["one", "two"]) {
      await set({ API_KEY: value });
      const { body } = await ask("POST", "variables/read", {}, { "idempotency-key": "the-same" });
      expect(body).toEqual({ values: expect.objectContaining({ API_KEY: value }) });
    }
    expect((await told()).filter((line) => line.startsWith("VariablesRead"))).toHaveLength(2);
  });

  it("are newer in the log than what it has, also where somebody put an earlier version of the secret back", async () => {
    await set({ API_KEY: "one" });
    const { SecretString = "" } = await room.clients.secrets.send(new GetSecretValueCommand({ SecretId: secretOf() }));
    await set({ API_KEY: "two" });
    await set({ API_KEY: "three" });
    await put(SecretString);
    expect((await set({ API_KEY: "three" })).body.changed).toEqual(["API_KEY"]);
    const { fingerprint, at } = await one("API_KEY");
    expect([(await events()).at(-1)?.body, at]).toEqual([expect.objectContaining({ name: "API_KEY", fingerprint }), expect.any(String)]);
    expect((await told()).filter((line) => line === "VariableSet API_KEY")).toHaveLength(4);
  });
});

describe("since the live release", () => {
  const by = (cause: string) => ({ cause: `${place}/${cause}`, correlation: "test", actor: "test" });
  /** Deployment n, live, built and published with what the secret holds now. */
  const goLive = async (n: number, known = true) => {
    const { fingerprints } = await room.engine.secrets.read(secretOf());
    const variables = known && fingerprints ? { variables: fingerprints } : {};
    const { deployment, environment } = room.engine.aggregates;
    const asked = { actor: "test", at: new Date().toISOString() };
    const wanted = request(n, { environment: place });
    const id = wanted.deploymentId;
    await environment.execute("web", place, { type: "AdmitDeployment", request: wanted, ...asked }, by("admit"));
    await deployment.execute(id, { type: "QueueDeployment", sequence: 1, request: wanted }, by("queue"));
    await deployment.execute(id, { type: "RecordBuildStarted", buildId: "b:1", ...variables }, by("began"));
    await deployment.execute(id, { type: "RecordBuildSucceeded", buildId: "b:1", artifact: artifact(n) }, by("built"));
    await deployment.execute(id, { type: "StartRelease", releaseId: id }, by("release"));
    await deployment.execute(id, { type: "RecordVersions", functions: functions(n), ...variables }, by("versions"));
    await deployment.execute(id, { type: "RecordChecksPassed", release: release(n), checks: [check(n)] }, by("checks"));
    const flip = { type: "RequestFlip", deploymentId: id, sequence: 1, release: release(n), ...asked } as const;
    await environment.execute("web", place, flip, by("flip"));
    await environment.execute("web", place, { type: "RecordWentLive", sequence: 1 }, by("live"));
    return id;
  };
  const changed = async () =>
    (await list()).body.variables.filter((variable: { changed: boolean }) => variable.changed).map(({ name }: { name: string }) => name);

  it("what was set, removed, or changed by hand is named", async () => {
    await set({ API_KEY: "a", API_URL: "u" });
    const live = await goLive(used);
    expect([(await list()).body.live, await changed()]).toEqual([live, []]);
    await set({ API_KEY: "b" });
    await remove("API_URL");
    const { values, ledger } = await held();
    await put(writeDocument({ values: { ...values, PIN: "9" }, ledger }));
    expect(await changed()).toEqual(["API_KEY", "API_URL", "PIN"]);
    await set({ API_KEY: "a" });
    expect(await changed()).toEqual(["API_URL", "PIN"]);
  });

  it("of an older release, which does not say what it was given, what was set after it was asked for is named", async () => {
    await set({ API_KEY: "a" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await goLive(used, false);
    await set({ API_URL: "u" });
    expect(await changed()).toEqual(["API_URL"]);
  });
});

describe("the secret of an environment", () => {
  it("of an older release, or whose word about itself somebody broke, is taken on from there", async () => {
    await set({ API_KEY: "a" });
    await set({ API_KEY: "b" });
    await put(JSON.stringify({ [ACTIONS]: "k", API_KEY: "b" }));
    expect(await one("API_KEY")).toMatchObject({ value: "set", fingerprint: null, by: null });
    expect((await set({ API_KEY: "c" })).body.changed).toEqual(["API_KEY"]);
    expect((await events()).at(-1)?.body).toMatchObject({ revision: 3 });
    expect(await one("API_KEY")).toMatchObject({ by: "alice (token default)" });
  });

  it("that is damaged or gone is a no that says what to do, and quotes nothing of it", async () => {
    await put('{"API_KEY": hunter2');
    const damaged = await set({ API_KEY: "a" });
    expect([refusal(damaged), damaged.text.includes("hunter2")]).toEqual([[409, "variables.damaged"], false]);
    place = "e0";
    expect(refusal(await list())).toEqual([409, "variables.missing"]);
  });
});
