import { hash } from "node:crypto";
import { DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE, PEOPLE_TABLE, SNAPSHOTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { environmentStream, personStream, sessionStream } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { people, SHOWN_MS } from "../../engine/people/people.ts";
import { bearerOf } from "../../services/api/session-bearer.ts";
import { type Answer, type ApiRoom, openApiRoom, READ_TOKEN } from "../support/api-room.ts";
import { textOfTable } from "../support/secret-search.ts";
import { siteConfigOf } from "../support/site-config.ts";

const PSEUDONYM = /^per_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const zip = Buffer.from("a zip, more or less");
const sha256 = hash("sha256", zip, "hex");

let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [siteConfigOf("web", "production"), siteConfigOf("docs", "production")] });
}, 60_000);
afterAll(() => room.close());

const as = (actor: string, more: Record<string, string> = {}) => ({ "x-shiplog-actor": actor, ...more });
const pin = (actor: string, reason: string, site = "web"): Promise<Answer> =>
  room.ask("POST", `/environments/${site}/production/pin`, { reason }, as(actor));
const unpin = (actor: string, site = "web"): Promise<Answer> => room.ask("POST", `/environments/${site}/production/unpin`, {}, as(actor));
const known = async (): Promise<Record<string, string>> => {
  const { body } = await room.ask("GET", "/people");
  return Object.fromEntries(body.people.map(({ name, id }: { name: string; id: string }) => [name, id]));
};
const forget = (id: string, actor = "dora", reason?: string): Promise<Answer> =>
  room.ask("POST", `/people/${id}/forget`, reason === undefined ? {} : { reason }, as(actor));
const lastOf = async (stream: string) => (await room.engine.store.read(stream, 0)).flatMap(eventsOf).at(-1);
const textOf = (TableName: string): Promise<string> => textOfTable(room.clients.dynamodb, TableName);
const everywhere = async (...tables: string[]): Promise<string> => (await Promise.all(tables.map(textOf))).join("\n");

describe("a person", () => {
  it("is in the log by a pseudonym, and is read by their name", async () => {
    await pin("ann", "sale");
    const event = await lastOf(environmentStream("web", "production"));
    const { ann = "" } = await known();
    expect(ann).toMatch(PSEUDONYM);
    expect(event?.actor).toBe(`${ann} (token default)`);
    const answer = await room.ask("GET", "/environments/web/production");
    expect(answer.body.environment.pin).toMatchObject({ actor: "ann (token default)", reason: "sale" });
    expect(answer.text).not.toContain("per_");
    await unpin("ann");
    expect((await known()).ann).toBe(ann);
  });

  it("is nobody where no name is said, and whoever looks is given no pseudonym", async () => {
    await room.ask("POST", "/environments/web/production/pin", { reason: "sale" }, as(""));
    expect((await lastOf(environmentStream("web", "production")))?.actor).toBe("token default");
    await unpin("ann");
    await room.ask("GET", "/environments/web/production", undefined, as("onlooker"));
    expect(Object.keys(await known())).not.toContain("onlooker");
  });

  it("is in a refusal by their name too", async () => {
    await room.ask("POST", "/environments/web/production/lock", { reason: "moving" }, as("ann"));
    const refused = await room.ask("POST", "/environments/web/production/lock", { reason: "mine" }, as("bob"));
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("ann (token default)");
    expect(refused.text).not.toContain("per_");
    expect((await room.ask("POST", "/environments/web/production/unlock", {}, as("ann"))).status).toBe(200);
  });

  it("is the author of a commit, also where an older release wrote the name and it is tried again", async () => {
    const { body } = await room.ask("POST", "/sources", { site: "docs", sha256, bytes: zip.length });
    await fetch(body.upload.url, { method: "PUT", headers: body.upload.headers, body: zip });
    const commit = { sha: "0123abc", author: "Ann Lee", message: "Thanks to bea@example.com for next@16.4.5", branch: "main" };
    const asked = await room.ask(
      "POST",
      "/deployments",
      { site: "docs", environment: "production", source: body.source, commit },
      as("ann"),
    );
    expect(asked.status).toBe(202);
    expect(asked.body.deployment.commit).toEqual(commit);
    // as an older release asked for it
    const old = `dep_01JFZ4ZT0E0000000000000001`;
    const request = {
      deploymentId: old,
      site: "docs",
      environment: "production",
      source: body.source,
      trigger: "cli",
      commit: { ...commit, message: "Fix", author: "Old Name" },
      requestedBy: "old",
    } as const;
    const because = { cause: "old", correlation: "old", actor: "old" };
    const { deployment } = room.engine.aggregates;
    await deployment.execute(old, { type: "QueueDeployment", sequence: 99, request } as never, because);
    await deployment.execute(old, { type: "FailDeployment", step: "build", reason: "broken" } as never, { ...because, cause: "failed" });
    const again = await room.ask("POST", `/deployments/${old}/retry`, {}, as("ann"));
    expect(again.body.deployment.commit.author).toBe("Old Name");
    const { Old = "", "Old Name": pseudonym = "" } = await known();
    expect(Old).toBe("");
    expect(JSON.stringify(await room.engine.store.read(`deployment/${again.body.deployment.id}`, 0))).toContain(pseudonym);
    const text = await textOf(EVENTS_TABLE);
    expect(text.match(/Old Name/g)).toHaveLength(1);
    expect(text).not.toMatch(/Ann Lee|bea@example/);
    expect(text).toContain("next@16.4.5");
    expect(Object.keys(await known())).toEqual(expect.arrayContaining(["Ann Lee", "bea@example.com"]));
  });

  it("is not in a reason by their address, which may be as long as before", async () => {
    const reason = `${"x".repeat(480)} for joe@example.org`;
    const pinned = await pin("ann", reason, "docs");
    expect(pinned.status).toBe(200);
    expect(await textOf(EVENTS_TABLE)).not.toContain("joe@example.org");
    expect((await known())["joe@example.org"]).toMatch(PSEUDONYM);
    await unpin("ann", "docs");
  });

  it("is found in the trail by name and by pseudonym", async () => {
    const { ann = "" } = await known();
    const rows = async (actor: string): Promise<unknown[]> => (await room.ask("GET", `/audit?actor=${actor}`)).body.rows;
    expect((await rows("ann")).length).toBeGreaterThan(2);
    expect(await rows("ann")).toEqual(await rows(ann));
    expect((await rows("ann"))[0]).toMatchObject({ actor: "ann (token default)" });
    expect(await rows("nobody-of-that-name")).toEqual([]);
  });
});

describe("forgetting somebody", () => {
  it("leaves their name nowhere, and their pseudonym in a log that is whole", async () => {
    await pin("gone-soon", "x", "docs");
    await unpin("gone-soon", "docs");
    const { "gone-soon": id = "" } = await known();
    expect(await textOf(PEOPLE_TABLE)).toContain("gone-soon");
    expect((await forget(id, "dora", "left the company")).body).toEqual({ forgotten: id });
    expect(await everywhere(EVENTS_TABLE, VIEWS_TABLE, SNAPSHOTS_TABLE, PEOPLE_TABLE)).not.toContain("gone-soon");
    const { body } = await room.ask("GET", `/audit?actor=${id}`);
    expect(body.rows.map(({ actor, type }: { actor: string; type: string }) => [type, actor])).toEqual([
      ["EnvironmentPinned", `${id} (token default)`],
      ["EnvironmentUnpinned", `${id} (token default)`],
    ]);
    // who did it, and why
    expect(await lastOf(personStream(id))).toMatchObject({ type: "PersonForgotten", body: { reason: "left the company" } });
  });

  it("gives whoever comes back another pseudonym", async () => {
    await pin("boomerang", "x", "docs");
    const { boomerang: before = "" } = await known();
    await forget(before);
    await unpin("boomerang", "docs");
    const { boomerang: after = "" } = await known();
    expect(after).toMatch(PSEUDONYM);
    expect(after).not.toBe(before);
  });

  it("is said once in the log, however often it is asked for", async () => {
    await pin("twice", "x", "docs");
    await unpin("twice", "docs");
    const { twice = "" } = await known();
    for (let n = 0; n < 2; n++) expect((await forget(twice)).status).toBe(200);
    expect(await room.engine.store.read(personStream(twice), 0)).toHaveLength(1);
  });

  it("erases a name that was left by who died between the log and the table", async () => {
    await pin("half", "x", "docs");
    await unpin("half", "docs");
    const { half = "" } = await known();
    await room.engine.aggregates.person.execute(half, { type: "ForgetPerson" }, { cause: "c", correlation: "c", actor: "test" });
    expect(Object.keys(await known())).toContain("half");
    expect((await forget(half)).status).toBe(200);
    expect(Object.keys(await known())).not.toContain("half");
  });

  it("is refused for whom nobody knows, and for who may only look", async () => {
    for (const id of [`per_${"0".repeat(26)}`, "ann", "per_1"])
      expect(await forget(id)).toMatchObject({ status: 404, body: { error: { code: "person.unknown" } } });
    const { ann = "" } = await known();
    const looking = await room.ask("POST", `/people/${ann}/forget`, {}, { authorization: `Bearer ${READ_TOKEN}` });
    expect(looking.status).toBe(403);
    expect((await known()).ann).toBe(ann);
  });
});

describe("the table of names", () => {
  it("gives two who name somebody at the same time one pseudonym", async () => {
    const table = people(room.clients.dynamodb, PEOPLE_TABLE, { now: () => Date.now() }, console.error);
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => table.pseudonymOf("Zoë", `per_01JFZ4ZT0E000000000000000${n}`)));
    expect(new Set(ids).size).toBe(1);
  });

  it("is read once for many answers, shows a new name at once and an erased one for half a minute at most", async () => {
    let now = Date.now();
    const here = people(room.clients.dynamodb, PEOPLE_TABLE, { now: () => now }, console.error);
    const elsewhere = people(room.clients.dynamodb, PEOPLE_TABLE, { now: () => now }, console.error);
    const id = await here.pseudonymOf("new", "per_01JFZ4ZT0EZ0000000000000AA");
    const text = JSON.stringify({ actor: `${id} (token default)` });
    const named = JSON.stringify({ actor: "new (token default)" });
    expect(await here.inJson(text)).toBe(named);
    await elsewhere.forget("new");
    now += SHOWN_MS - 1;
    expect(await here.inJson(text)).toBe(named);
    now += 1;
    expect(await here.inJson(text)).toBe(text);
    expect(await here.inJson(text)).toBe(text);
    const later = await elsewhere.pseudonymOf("later", "per_01JFZ4ZT0EZ0000000000000BB");
    expect(await here.inJson(`"${later}"`)).toBe('"later"');
  });

  it("asks nothing where a text names nobody, and keeps JSON whole whatever somebody is called", async () => {
    const table = people(room.clients.dynamodb, PEOPLE_TABLE, { now: () => Date.now() }, console.error);
    const nowhere = people(room.clients.dynamodb, "no-such-table", { now: () => Date.now() }, console.error);
    expect(await nowhere.inJson('{"a":1}')).toBe('{"a":1}');
    const id = await table.pseudonymOf('"Bobby" \\ Tables', "per_01JFZ4ZT0EZ0000000000000CC");
    expect(JSON.parse(await table.inJson(JSON.stringify([id])))).toEqual(['"Bobby" \\ Tables']);
  });
});

describe("where the table of names is gone", () => {
  it("commands are done and answers given, by pseudonyms, and the engine's log says so", async () => {
    const other = await openApiRoom({ sites: [siteConfigOf("web", "production")] });
    try {
      await other.clients.dynamodb.send(new DeleteTableCommand({ TableName: PEOPLE_TABLE }));
      const pinned = await other.ask("POST", "/environments/web/production/pin", { reason: "sale" }, as("ann"));
      expect(pinned).toMatchObject({ status: 200, body: { environment: { pin: { reason: "sale" } } } });
      expect(pinned.body.environment.pin.actor).toMatch(/^per_\w{26} \(token default\)$/);
      expect(other.reported).toEqual(
        expect.arrayContaining(
          [
            "a name could not be kept: the log has a pseudonym without one",
            "names could not be read: people are told by their pseudonyms",
          ].map((message) => expect.objectContaining({ level: "error", message })),
        ),
      );
      expect(JSON.stringify(other.reported)).not.toContain("ann");
    } finally {
      await other.close();
    }
  }, 60_000);
});

describe("a name", () => {
  it("is read where its pseudonym follows a line's end", async () => {
    const pinned = await pin("ann", "asked for by\nlea@example.org, twice", "docs");
    expect(pinned.body.environment.pin.reason).toBe("asked for by\nlea@example.org, twice");
    expect(await textOf(EVENTS_TABLE)).not.toContain("lea@example");
    await unpin("ann", "docs");
  });

  it("is not kept of a list of addresses beyond the first of them", async () => {
    const many = Array.from({ length: 9 }, (_, n) => `m${n}@example.net`);
    const pinned = await pin("ann", many.join(" "), "docs");
    expect(pinned.body.environment.pin.reason).toBe([...many.slice(0, 5), ...Array(4).fill("(an e-mail address)")].join(" "));
    expect(Object.keys(await known()).filter((name) => name.endsWith("@example.net"))).toEqual(many.slice(0, 5));
    await unpin("ann", "docs");
  });

  it("is in no digest by which it could be tried: the key of a request is in none of the tables", async () => {
    const key = { "idempotency-key": "a-key-that-nobody-keeps" };
    await room.ask("POST", "/environments/docs/production/pin", { reason: "keyed" }, as("guessed", key));
    const path = "/v1/environments/docs/production/pin";
    const { guessed = "" } = await known();
    const guesses = ["guessed (token default)", `${guessed} (token default)`].map((actor) =>
      hash("sha256", JSON.stringify([path, actor, JSON.stringify({ reason: "keyed" })]), "base64url"),
    );
    const rows = await everywhere(EVENTS_TABLE, VIEWS_TABLE);
    expect(guesses.filter((guess) => rows.includes(guess))).toEqual([]);
    expect(rows).not.toContain("a-key-that-nobody-keeps");
    await unpin("ann", "docs");
  });

  it("of who signed in is the same pseudonym in what their session does", async () => {
    const { body } = await room.ask("POST", "/sessions", {}, as("signed-in"));
    const session = { authorization: `Bearer ${body.secret}` };
    const told = await room.engine.store.read(`session/${body.session.id}`, 0);
    expect(told[0]?.actor).toMatch(/^per_/);
    expect((await room.ask("GET", "/caller", undefined, session)).body.caller.actor).toBe("signed-in (token default)");
    await room.ask("POST", "/environments/docs/production/pin", { reason: "by a session" }, session);
    expect((await lastOf(environmentStream("docs", "production")))?.actor).toBe(told[0]?.actor);
    await unpin("ann", "docs");
  });

  it("of who began a session with an older release is not written by it any more", async () => {
    const { body } = await room.ask("POST", "/sessions", {}, as(""));
    const [begun] = (await room.engine.store.read(sessionStream(body.session.id), 0)).flatMap(eventsOf);
    const secret = body.secret.slice(bearerOf(body.session.id, "").length);
    // the same, as an older release has begun it
    const old = "ses_01JFZ4ZT0E0000000000000001";
    const command = { type: "BeginSession", ...(begun?.body as object) } as never;
    await room.engine.aggregates.session.execute(old, command, { cause: "old", correlation: "old", actor: "Old Hand (token default)" });
    const bearer = { authorization: `Bearer ${bearerOf(old, secret)}` };
    expect((await room.ask("GET", "/caller", undefined, bearer)).body.caller.actor).toBe("Old Hand (token default)");
    expect((await room.ask("POST", "/environments/docs/production/pin", { reason: "by a session" }, bearer)).status).toBe(200);
    const { "Old Hand": pseudonym = "" } = await known();
    expect((await lastOf(environmentStream("docs", "production")))?.actor).toBe(`${pseudonym} (token default)`);
    expect((await textOf(EVENTS_TABLE)).match(/Old Hand/g)).toHaveLength(1);
    await unpin("ann", "docs");
  });
});
