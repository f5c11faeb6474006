import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuditPage } from "../../client/contract.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { audit } from "../../domain/projections/audit.ts";
import { END } from "../../engine/log/log.ts";
import { auditTrail } from "../../services/api/audit.ts";
import { type AuditedPast, EVIL, LINES, type Row, startAuditedPast } from "../support/audited-past.ts";
import { chained } from "../support/chained.ts";
import { noWaypoints } from "../support/no-waypoints.ts";
import { nobody } from "../support/nobody.ts";
import { logOf, MORNING } from "../support/sealed-log.ts";

let past: AuditedPast;
let all: Row[];
beforeAll(async () => {
  past = await startAuditedPast();
  all = await past.trail();
}, 60_000);
afterAll(() => past.close());

const rowsOf = (type: string): Row[] => all.filter((row) => row.type === type);
const idsOf = (rows: readonly Row[]): string[] => rows.map(({ id }) => id);
/** Filters what is known to be there as a reader would, by hand. */
const expectOnly = async (query: string, is: (row: Row) => boolean): Promise<void> => {
  const wanted = all.filter(is);
  expect(wanted.length, query).toBeGreaterThan(0);
  expect(wanted.length, query).toBeLessThan(all.length);
  expect(idsOf(await past.trail(query)), query).toEqual(idsOf(wanted));
};

describe("the audit trail", () => {
  it("has every event of the log once, in the log's order", async () => {
    const { events } = (await past.ask("GET", "events?limit=1000")).body;
    expect(idsOf(all)).toEqual(events.map(({ id }: { id: string }) => id));
    expect(new Set(idsOf(all)).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(25);
  });

  it("has each event's body where that is asked for, and only there", async () => {
    const { events } = (await past.ask("GET", "events?limit=1000")).body;
    const rows = await past.trail("bodies=true");
    expect(rows.map((row) => (row as { body?: unknown }).body)).toEqual(events.map(({ body }: { body: unknown }) => body));
    expect(all.filter((row) => "body" in row)).toEqual([]);
  });

  it.each([1, 2, 7])("is the same in pages of %i", async (limit) => {
    expect(await past.trail("", limit)).toEqual(all);
  });

  it("never tells a part of a commit", async () => {
    // a rollback is two events of one decision: the flip, and the pin
    const { position } = rowsOf("EnvironmentPinned")[0] as Row;
    const { body } = await past.ask("GET", `audit?limit=1&since=${position}`);
    expect(body.rows.map(({ type }: Row) => type)).toEqual(["FlipRequested", "EnvironmentPinned"]);
  });

  it("says who it was, by which credential and from where; of the engine only that", () => {
    expect(rowsOf("EnvironmentPinned")).toMatchObject([{ actor: "carol (token ci)", credential: "token:ci", address: "127.0.0.1" }]);
    expect(rowsOf("AliasFlipped")[0]).toMatchObject({ actor: "shiplog flip-alias", credential: null, address: null });
  });

  it("says where: site, environment and deployment, or none of them", () => {
    const { first, docs, webhook } = past.ids;
    expect(rowsOf("BuildStarted")[0]).toMatchObject({ site: "web", environment: "production", deployment: first });
    expect(rowsOf("CancelRequested")).toMatchObject([{ site: "docs", environment: "production", deployment: docs }]);
    expect(rowsOf("EnvironmentLocked")).toMatchObject([{ site: "web", environment: "staging", deployment: null }]);
    expect(rowsOf("WebhookAdded")).toMatchObject([{ stream: `webhook/${webhook}`, site: null, environment: null, deployment: null }]);
  });

  it("says why, in the words of who asked", () => {
    expect(rowsOf("DeploymentQueued").map(({ why, trigger }) => [why, trigger])).toEqual([
      ["the first release", "cli"],
      [LINES, "cli"],
      ["a typo", "cli"],
    ]);
    expect(rowsOf("FlipRequested").map(({ why, trigger }) => [why, trigger])).toEqual([
      ["deploy", "deploy"],
      ["deploy", "deploy"],
      [EVIL, "rollback"],
    ]);
    expect(rowsOf("EnvironmentUnlocked")[0]?.why).toBe("moved");
    expect(rowsOf("WebhookRemoved")[0]?.why).toBe("nobody reads it");
  });

  it("says in one line what there is to know of it, whatever kind of stream it is of", () => {
    expect(rowsOf("WebhookAdded")[0]?.facts).toMatch(/^slack http/);
    expect(rowsOf("AliasFlipped")[0]?.facts).toContain("web-production-server");
    expect(rowsOf("BuildStarted")[0]?.facts).not.toBe("");
    expect(rowsOf("VariablesRead").every(({ facts }) => facts !== null)).toBe(true);
    expect(all.filter(({ facts }) => facts === null || facts.includes("\n"))).toEqual([]);
  });

  it("has a row of streams and of shapes that only a newer release knows", () => {
    const [added] = rowsOf("WebhookAdded") as [Row];
    const { credential: _, address: __, ...event } = { ...added, index: 0, origin: "", v: 99, body: { reason: "later" } };
    for (const newer of [event, { ...event, stream: "policy/x", type: "PolicySet", v: 1 }])
      expect(audit({}, newer).row).toMatchObject({ stream: newer.stream, type: newer.type, why: "later", facts: null });
  });

  it("says what it changed, before and after", () => {
    const { first, second } = past.ids;
    const changes = (type: string) => rowsOf(type).map(({ change }) => change);
    expect(changes("DeploymentQueued")[0]).toEqual({ of: "status", before: null, after: "queued" });
    expect(changes("DeploymentSucceeded")).toEqual(Array(2).fill({ of: "status", before: "deploying", after: "success" }));
    expect(changes("ReleaseWentLive")).toEqual([
      { of: "live", before: null, after: first },
      { of: "live", before: first, after: second },
      { of: "live", before: second, after: first },
    ]);
    expect(changes("AliasFlipped").map((change) => [change?.of, change?.before, change?.after])).toEqual([
      ["alias", "web-production-server:0", "web-production-server:1"],
      ["alias", "web-production-server:1", "web-production-server:2"],
      ["alias", "web-production-server:2", "web-production-server:1"],
    ]);
    expect(changes("EnvironmentPinned")).toEqual([{ of: "pin", before: null, after: EVIL }]);
    expect(changes("EnvironmentLocked")).toEqual([{ of: "lock", before: null, after: "dora (token ci)" }]);
    expect(changes("EnvironmentUnlocked")).toEqual([{ of: "lock", before: "dora (token ci)", after: null }]);
    expect(changes("DeploymentAdmitted")).toEqual([null, null, null]);
  });

  it("names the cause of each event, and the story that it belongs to", () => {
    for (const { cause, correlation } of all) expect([cause, correlation]).not.toContain("");
    const [flip, pin] = all.filter(({ why }) => why === EVIL);
    expect(flip?.cause).toBe(pin?.cause);
  });
});

describe("a part of the trail", () => {
  it("is of a site, an environment, an actor or a type", async () => {
    await expectOnly("site=docs", ({ site }) => site === "docs");
    await expectOnly("environment=staging", ({ environment }) => environment === "staging");
    await expectOnly("site=web&environment=production", (row) => row.site === "web" && row.environment === "production");
    await expectOnly("actor=carol", ({ actor }) => actor.startsWith("carol"));
    await expectOnly("type=AliasFlipped", ({ type }) => type === "AliasFlipped");
    await expectOnly("site=web&actor=shiplog&type=AliasFlipped", ({ type }) => type === "AliasFlipped");
    expect(await past.trail("site=web&type=CancelRequested")).toEqual([]);
  });

  it("is from a moment on, up to another, by time or position", async () => {
    const { firstLive, rolledBack } = past.at;
    const since = positionAt(Date.parse(firstLive));
    const until = positionAt(Date.parse(rolledBack));
    const between = ({ position }: Row) => position >= since && position < until;
    await expectOnly(`since=${firstLive}&until=${rolledBack}`, between);
    await expectOnly(`since=${since}&until=${until}`, between);
    await expectOnly(`until=${firstLive}`, ({ position }) => position < since);
    await expectOnly(`since=${rolledBack}`, ({ position }) => position >= until);
    // the parts are the whole: nothing is lost or told twice where one ends and the next begins
    const beginning = positionAt(past.began);
    for (const { position } of all) {
      const parts = [...(await past.trail(`since=${beginning}&until=${position}`)), ...(await past.trail(`since=${position}`))];
      expect(idsOf(parts)).toEqual(idsOf(all));
    }
  });

  it("is of thirty days before its end where no beginning is said, and of nothing where it is still to come", async () => {
    expect(await past.trail(`until=${positionAt(past.began - 1)}`)).toEqual([]);
    const asked: [string, string][] = [];
    const app = auditTrail({
      people: nobody,
      views: noWaypoints,
      clock: { now: () => MORNING },
      read: async () => [],
      log: {
        read: async (since, until) => {
          asked.push([since, until]);
          return [];
        },
      },
    });
    const day = 86_400_000;
    for (const query of [`until=${positionAt(MORNING - 2 * day)}`, "since=1970-01-01&until=9999-12-31", "since=2099-01-01"])
      expect(await (await app.request(`/?${query}`)).json()).toEqual({ rows: [], next: null });
    // up to the end of the log: what a clock that was ahead has written lies behind the present
    expect(asked).toEqual([
      [positionAt(MORNING - 32 * day), positionAt(MORNING - 2 * day)],
      [positionAt(0), positionAt(Date.parse("9999-12-31"))],
      [positionAt(Date.parse("2099-01-01")), END],
    ]);
    expect((await past.ask("GET", "audit?since=2099-01-01")).body.rows).toEqual([]);
  });

  it("knows what was before it", async () => {
    const rows = await past.trail(`since=${past.at.secondLive}&type=ReleaseWentLive`);
    expect(rows.map(({ change }) => change)).toEqual([{ of: "live", before: past.ids.second, after: past.ids.first }]);
  });

  it("goes on behind what a filter leaves out: a page may be empty", async () => {
    expect(idsOf(await past.trail("type=WebhookRemoved", 1))).toEqual(idsOf(rowsOf("WebhookRemoved")));
  });

  it.each([
    ["since=yesterday", '"since"'],
    ["until=12", '"until"'],
    ["limit=0", '"limit"'],
    ["limit=1001", '"limit"'],
    ["cursor=anything", '"cursor"'],
    ["site=Not%20A%20Site", '"site"'],
    ["who=ada", "who"],
    ["since=2026-11-20&until=2026-11-19", '"since" is later than "until"'],
  ])("%s is refused by its name", async (query, named) => {
    const { status, body } = await past.ask("GET", `audit?${query}`);
    expect([status, body.error.code, body.error.message]).toEqual([400, "query.invalid", expect.stringContaining(named)]);
  });
});

describe("a long trail", () => {
  const environment = "environment/web/production";
  /** One long stream, read page by page through ports that count. */
  const long = (commits: number, change: (text: string) => string = (text) => text) => {
    const bodies = logOf(commits, 1).map((commit, n) => ({
      ...commit,
      stream: environment,
      body: change(
        JSON.stringify([
          n % 2 === 0
            ? { type: "EnvironmentPinned", v: 1, body: { reason: `reason ${n}`, deploymentId: null } }
            : { type: "EnvironmentUnpinned", v: 1, body: {} },
        ]),
      ),
    }));
    const log = chained(bodies);
    const count = { read: 0, most: 0 };
    const app = auditTrail({
      people: nobody,
      views: noWaypoints,
      clock: { now: () => MORNING + commits * 1_000 },
      read: async (_, after) => {
        count.read += log.length - after;
        return log.slice(after);
      },
      log: {
        read: async (since, until, limit) => {
          const found = log.filter(({ position }) => position >= since && position < until).slice(0, limit);
          count.most = Math.max(count.most, found.length);
          return found;
        },
      },
    });
    const page = async (cursor: string): Promise<AuditPage> => {
      const answer = await app.request(`/?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      expect(answer.status).toBe(200);
      return AuditPage.parse(await answer.json());
    };
    return { page, count, log };
  };
  type AuditPage = { rows: Row[]; next: string | null };

  it("is read in parts, and its streams' beginnings once", async () => {
    const { page, count, log } = long(5_000);
    const rows: Row[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { rows: some, next }: AuditPage = await page(cursor);
      rows.push(...some);
      cursor = next;
    }
    expect(rows.length).toBe(log.length);
    expect(rows.at(-1)?.change).toEqual({ of: "pin", before: `reason ${log.length - 2}`, after: null });
    expect(count.most).toBeLessThanOrEqual(500);
    expect(count.read).toBe(0);
  });

  it("is the same for two readers at once, and for one that asks again", async () => {
    const { page } = long(1_000);
    const alone: AuditPage[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const one: AuditPage = await page(cursor);
      alone.push(one);
      cursor = one.next;
    }
    for (const again of alone.keys()) {
      const cursor = again === 0 ? "" : (alone[again - 1]?.next ?? "");
      expect(await Promise.all([page(cursor), page(cursor)])).toEqual([alone[again], alone[again]]);
    }
  });

  it("shows an event of a newer release with what every event has", async () => {
    const { page } = long(3, (text) =>
      text.replace('"EnvironmentUnpinned","v":1,"body":{}', '"MoonLanded","v":7,"body":{"reason":"it was full"}'),
    );
    const { rows } = await page("");
    expect(rows.map(({ type, why, site, environment: name, change }) => [type, why, `${site}/${name}`, change?.of])).toEqual([
      ["EnvironmentPinned", "reason 0", "web/production", "pin"],
      ["MoonLanded", "it was full", "web/production", undefined],
      ["EnvironmentPinned", "reason 2", "web/production", "pin"],
    ]);
  });
});
