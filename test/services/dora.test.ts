import { describe, expect, it } from "vitest";
import { Dora } from "../../client/contract.ts";
import type { GitCommit } from "../../domain/deployment/shapes.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { commitHash, commitId } from "../../domain/kernel/chain.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { inLogOrder } from "../../domain/kernel/seal.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { END } from "../../engine/log/log.ts";
import { doraFigures } from "../../services/api/dora.ts";
import { openApiRoom } from "../support/api-room.ts";
import { startAuditedPast } from "../support/audited-past.ts";
import { asked } from "../support/given.ts";
import { deploymentId, release, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);
const dayOf = (day: number): string => new Date(Date.UTC(2026, 10, day)).toISOString();
const by = { actor: "ada", at: dayOf(1) };

/** Commits of one stream, each on a day of November 2026. */
const stream = (name: string, past: readonly (readonly [day: number, events: readonly AnyEvent[]])[]): Commit[] => {
  const commits: Commit[] = [];
  for (const [n, [day, events]] of past.entries()) {
    const at = new Date(Date.UTC(2026, 10, 1) + (day - 1) * DAY_MS + n).toISOString();
    const commit = {
      stream: name,
      version: n + 1,
      id: commitId(sha256, name, `cmd_${n}`),
      body: JSON.stringify(events),
      cause: `cmd_${n}`,
      correlation: "cmd",
      actor: "ada",
      origin: "",
      at,
      position: positionAt(Date.parse(at)),
      prev: commits.at(-1)?.hash ?? "",
    };
    commits.push({ ...commit, hash: commitHash(sha256, commit) });
  }
  return commits;
};

type Step = readonly [day: number, command: EnvironmentCommand];
const admit = (day: number, n: number, commit: GitCommit): Step => [
  day,
  { type: "AdmitDeployment", request: request(n, { commit }), ...by },
];
const goes = (day: number, n: number, sequence = n): Step[] => [
  [day, { type: "RequestFlip", deploymentId: deploymentId(n), sequence, release: release(n), ...by }],
  [day, { type: "RecordWentLive", sequence }],
];
const back = (day: number, sequence: number, to: number): Step[] => [
  [day, { type: "RequestRollback", to: deploymentId(to), ...by }],
  [day, { type: "RecordWentLive", sequence }],
  [day, { type: "UnpinEnvironment", ...by }],
];
const commit = (n: number, day: number): GitCommit => ({ sha: String(n).padStart(7, "0"), committedAt: dayOf(day) });

const steps: Step[] = [
  admit(-500, 1, commit(1, -500)),
  ...goes(-500, 1),
  admit(4, 2, commit(2, 3)),
  ...goes(5, 2),
  admit(9, 3, commit(3, 8)),
  ...goes(11, 3),
  ...back(13, 4, 2),
  admit(14, 5, commit(5, 14)),
  ...goes(14, 5, 5),
];
const decided = steps.map(([day], n) => {
  const before = asked(environment)(...steps.slice(0, n).map(([, command]) => command)).length;
  return [day, asked(environment)(...steps.slice(0, n + 1).map(([, command]) => command)).slice(before)] as const;
});
const ofEnvironment = stream(environmentStream("web", "production"), decided);
const queued = (n: number): AnyEvent => ({
  type: "DeploymentQueued",
  v: 1,
  body: { sequence: n, request: request(n, { commit: commit(n, n) }) },
});
const others = [
  ...stream(deploymentStream(deploymentId(1)), [
    [-500, [{ type: "DeploymentQueued", v: 1, body: { sequence: 1, request: request(1, { commit: commit(1, -500) }) } }]],
  ]),
  ...stream(deploymentStream(deploymentId(3)), [
    [9, [{ type: "DeploymentQueued", v: 1, body: { sequence: 3, request: request(3, { commit: commit(3, 8) }) } }]],
  ]),
  ...stream(deploymentStream(deploymentId(7)), [[12, [queued(7)]]]),
];

/** The route over a log in memory, and what it read of it. */
const room = (log: readonly Commit[], now = NOW, commitsMax?: number) => {
  const sorted = [...log].sort(inLogOrder);
  const read = { positions: [] as [string, string][], commits: 0, streams: [] as [string, number][] };
  const app = doraFigures(
    {
      config: {
        sites: [siteConfigOf("web", "production"), siteConfigOf("docs", "staging")],
        tokens: {},
        buckets: {} as never,
        region: "",
      },
      clock: { now: () => now },
      views: { deployment: async () => undefined } as never,
      log: {
        read: async (since, until, limit = 1_000) => {
          read.positions.push([since, until]);
          const found = sorted.filter(({ position }) => position >= since && position < until).slice(0, limit);
          read.commits += found.length;
          return found;
        },
      },
      read: async (name, after, limit = 1_000) => {
        read.streams.push([name, after]);
        return sorted.filter(({ stream: own, version }) => own === name && version > after).slice(0, limit);
      },
    },
    commitsMax,
  );
  // its errors are the caller's: the API makes answers of them
  app.onError((error) => {
    throw error;
  });
  const ask = async (query: string) => Dora.parse(await (await app.request(`/?${query}`)).json());
  return { read, ask };
};
const ids = (...numbers: number[]): string[] => numbers.map(deploymentId);

describe("GET /v1/dora", () => {
  it("answers for a period, each figure with what it counted", async () => {
    const { ask } = room([...ofEnvironment, ...others]);
    const found = await ask(`since=${dayOf(1)}&until=${dayOf(21)}`);
    expect(found).toMatchObject({ since: dayOf(1), until: dayOf(21), site: null, environment: null });
    expect(found.deploymentFrequency).toEqual({ perDay: 0.15, days: 20, sample: 3, counted: ids(2, 3, 5) });
    expect(found.leadTime).toMatchObject({ sample: 3, counted: ids(2, 3, 5) });
    expect(Math.round((found.leadTime.medianMs ?? 0) / DAY_MS)).toBe(2);
    expect(found.changeFailureRate).toEqual({ rate: 1 / 3, sample: 3, counted: ids(3) });
    expect(Math.round((found.timeToRestore.medianMs ?? 0) / DAY_MS)).toBe(2);
    expect(found.deployments[1]?.rolledBack).toMatchObject({ deploymentId: deploymentId(2), sequence: 4 });
  });

  it("is of the last thirty days up to now, to the end of the log, where no period is given", async () => {
    const { ask, read } = room(ofEnvironment);
    const found = await ask("");
    expect([found.since, found.until, found.deploymentFrequency.days]).toEqual([
      new Date(NOW - 30 * DAY_MS).toISOString(),
      new Date(NOW).toISOString(),
      30,
    ]);
    expect([read.positions[0]?.[0], read.positions.at(-1)?.[1]]).toEqual([positionAt(NOW - 30 * DAY_MS), END]);
    // a week at a time, and nothing twice
    expect(read.positions.map(([since]) => since).slice(1)).toEqual(read.positions.map(([, until]) => until).slice(0, -1));
    expect((await ask("until=2099-01-01")).until).toBe(found.until);
  });

  it("reads of the log its period, and of each environment what that does not tell", async () => {
    const { ask, read } = room([...ofEnvironment, ...others]);
    const found = await ask(`since=${dayOf(10)}&until=${dayOf(12)}`);
    const within = [...ofEnvironment, ...others].filter(({ at }) => at >= dayOf(10) && at < dayOf(12));
    expect(read.commits).toBe(within.length);
    const last = ofEnvironment.filter(({ at }) => at < dayOf(12)).at(-1);
    expect(new Set(read.streams.map(([name]) => name))).toEqual(
      new Set([environmentStream("web", "production"), deploymentStream(deploymentId(2)), deploymentStream(deploymentId(3))]),
    );
    // the commit before what is read is held against it
    expect(read.streams.filter(([name]) => name.startsWith("environment/"))).toEqual([
      [environmentStream("web", "production"), (last?.version ?? 0) - 1],
    ]);
    // it was admitted before, and rolled back after
    expect(found.leadTime.counted).toEqual(ids(3));
    expect(found.changeFailureRate).toEqual({ rate: 1, sample: 1, counted: ids(3) });
  });

  it("counts a rollback of what went live before the period in that other period", async () => {
    const { ask } = room(ofEnvironment);
    const found = await ask(`since=${dayOf(12)}&until=${dayOf(14)}`);
    expect(found.deploymentFrequency.sample).toBe(0);
    expect(found.uncounted).toMatchObject([{ how: "rollback", why: "earlier", sequence: 4 }]);
  });

  it("goes on, page by page, to what came of the last deployment, however much lies between", async () => {
    const noise = Array.from(
      { length: 120 },
      (_, n) => [12.5, [{ type: "EnvironmentLocked", v: 1, body: { holder: "ada", reason: `${n}`, until: null } }]] as const,
    );
    const [until3, rest] = [decided.slice(0, 9), decided.slice(9)];
    const { ask, read } = room(stream(environmentStream("web", "production"), [...until3, ...noise, ...rest]));
    const found = await ask(`since=${dayOf(10)}&until=${dayOf(12)}`);
    expect(found.changeFailureRate.counted).toEqual(ids(3));
    expect(read.streams.filter(([name]) => name.startsWith("environment/")).length).toBe(3);
  });

  it("is of a site or an environment alone, and names one that there is not", async () => {
    const docs = stream(environmentStream("docs", "staging"), decided);
    const { ask } = room([...ofEnvironment, ...docs]);
    const period = `since=${dayOf(1)}&until=${dayOf(21)}`;
    expect((await ask(period)).deploymentFrequency.sample).toBe(6);
    const one = await ask(`${period}&site=docs&environment=staging`);
    expect([one.site, one.environment, one.deploymentFrequency.sample]).toEqual(["docs", "staging", 3]);
    expect(new Set(one.deployments.map(({ site }) => site))).toEqual(new Set(["docs"]));
    expect((await ask(`${period}&environment=production`)).deploymentFrequency.sample).toBe(3);
  });

  it("has no commit where a deployment's stream is gone", async () => {
    const { ask } = room(ofEnvironment);
    expect((await ask(`since=${dayOf(10)}&until=${dayOf(12)}`)).leadTime.leftOut.unknown).toEqual(ids(3));
  });
});

describe("a period that cannot be answered for", () => {
  it("is refused with what to ask instead", async () => {
    const { ask, close } = await openApiRoom({ sites: [siteConfigOf("web", "production")] });
    try {
      for (const [query, status, code, words] of [
        ["since=2025-01-01&until=2026-03-01", 400, "period.large", "400 days at most, and this period has 424"],
        ["since=000000000000000", 400, "period.large", "400 days at most"],
        ["since=2026-02-01&until=2026-01-01", 400, "query.invalid", '"since" must be before "until"'],
        ["since=2026-02-01&until=2026-02-01", 400, "query.invalid", '"since" must be before "until"'],
        ["since=2099-01-01", 400, "query.invalid", '"since" must be before "until" and before now'],
        ["since=yesterday", 400, "query.invalid", '"since"'],
        ["site=web&environment=none", 404, "environment.unknown", "There is no environment web/none"],
        ["label=elite", 400, "query.invalid", "label"],
      ] as const) {
        const { status: given, body } = await ask("GET", `/dora?${query}`);
        expect([given, body.error.code, body.error.message]).toEqual([status, code, expect.stringContaining(words)]);
      }
      expect((await ask("GET", "/dora?since=2025-01-01&until=2026-02-05")).status).toBe(200);
    } finally {
      await close();
    }
  });

  it("is one with more commits than are read at once", async () => {
    const whole = `since=${dayOf(1)}&until=${dayOf(21)}`;
    const within = ofEnvironment.filter(({ at }) => at >= dayOf(1)).length;
    await expect(room(ofEnvironment, NOW, within).ask(whole)).resolves.toMatchObject({ deploymentFrequency: { sample: 3 } });
    await expect(room(ofEnvironment, NOW, within - 1).ask(whole)).rejects.toMatchObject({
      status: 400,
      code: "period.large",
      message: expect.stringContaining(`more than ${within - 1} commits`),
    });
  });
});

describe("over a real log", () => {
  it("is what happened there", async () => {
    const past = await startAuditedPast();
    try {
      const { status, body } = await past.ask("GET", "dora?site=web");
      expect(status).toBe(200);
      const { first, second } = past.ids;
      const found = Dora.parse(body);
      expect(found.deploymentFrequency.counted).toEqual([first, second]);
      expect(found.changeFailureRate).toEqual({ rate: 0.5, sample: 2, counted: [second] });
      expect(found.leadTime).toMatchObject({ counted: [first], leftOut: { unknown: [], again: [second] } });
      expect(Math.round((found.leadTime.medianMs ?? 0) / 60_000)).toBe(121);
      const trail = new Set((await past.trail("type=ReleaseWentLive")).map(({ id }) => id));
      const events = found.deployments.flatMap(({ event, rolledBack }) => [event, ...(rolledBack === null ? [] : [rolledBack.event])]);
      expect(new Set(events)).toEqual(trail);
    } finally {
      await past.close();
    }
  });

  it("refuses a log that was changed", async () => {
    const changed = ofEnvironment.map((one) => ({ ...one, body: one.body.replace('"deploy"', '"rollback"') }));
    await expect(room(changed).ask("")).rejects.toThrow("was changed behind Shiplog's back");
  });
});
