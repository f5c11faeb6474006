import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import {
  at,
  deploymentId,
  deploymentView,
  environmentView,
  liveView,
  rollbackPlan,
  type StubEngine,
  stubEngine,
} from "./support/stub-engine.ts";

let engine: StubEngine;
const cli = (...words: string[]) => runCli(words, { env: engine.env });
beforeEach(async () => {
  engine = await stubEngine();
  for (const number of [1, 2])
    engine.state.deployments.set(deploymentId(number), deploymentView(number, { status: "success", endedAt: at(90) }));
});
afterEach(() => engine.close());

describe("shiplog list", () => {
  it("says with which command one sees older ones, and they are those", async () => {
    const first = await cli("list", "--limit", "1");
    expect([first.out.includes(" #2 "), first.out.includes(" #1 ")]).toEqual([true, false]);
    expect(first.err).toContain(`Older ones:  shiplog list --limit 1 --before ${deploymentId(2)}`);
    const second = await cli("list", "--limit", "1", "--before", deploymentId(2));
    expect([second.out.includes(" #2 "), second.out.includes(" #1 ")]).toEqual([false, true]);
    expect(second.err).toBe("");
    expect((await cli("list", "--before", deploymentId(1))).err).toContain("There is no older one.");
    expect(JSON.parse((await cli("list", "--limit", "1", "--json")).out)).toMatchObject({ next: deploymentId(2) });
  });
  it("says where to look on where none of the newest has that status", async () => {
    engine.state.deployments.set(deploymentId(1), deploymentView(1, { status: "failed", endedAt: at(90) }));
    const { out, err } = await cli("list", "--status", "failed", "--site", "web", "--limit", "1");
    expect([out, err.trim()]).toEqual([
      "",
      `None among the newest. Older ones:  shiplog list --site web --status failed --limit 1 --before ${deploymentId(2)}`,
    ]);
  });

  it("says that there was none yet, or that none fits, and what to do only where there is none at all", async () => {
    engine.state.deployments.clear();
    expect((await cli("list", "--at", "400d")).err).toBe("There was no deployment yet at 400d.\n");
    expect((await cli("list", "--at", "999999d", "--site", "web")).err).toBe("There was no deployment that fits yet at 999999d.\n");
    expect((await cli("list", "--site", "web")).err).toBe("There is no deployment that fits.\n");
    expect((await cli("list")).err).toBe("There is no deployment. Make one:  shiplog deploy <dir>\n");
  });

  it("is a table with ids as short as they may be", async () => {
    engine.state.deployments.set(
      "dep_01JZZZZZ000000000000000009",
      deploymentView(9, { id: "dep_01JZZZZZ000000000000000009", status: "failed", endedAt: at(4) }),
    );
    const { code, out, err } = await cli("list");
    expect(code).toBe(0);
    expect(err).toBe("");
    const [head, newest, second] = out.split("\n");
    expect(head).toMatch(/^ID +STATUS +WHERE +SEQ +AGE +TOOK +BY +COMMIT$/);
    expect(newest).toMatch(/^dep_01JZZZZZ +failed +web\/production +#9 +\S+ ago +4\.0s +alice \(token default\) +1234567 Fix the header$/);
    expect(second).toMatch(new RegExp(`^${deploymentId(2)} +success \\(live\\) `));
  });

  it.each([
    ["that failed why it did", "failed", "app/page.tsx:4:9: TS2322: Type 'string' is not assignable to type 'number'."],
    ["that is queued what it waits for", "queued", "waiting for CodeBuild: Cannot have more than 1 builds in queue for the account"],
  ] as const)("says under a deployment %s", async (_, status, reason) => {
    engine.state.deployments.set(deploymentId(3), deploymentView(3, { status, step: "build", reason }));
    const [, line, why, second] = (await cli("list")).out.split("\n");
    expect(line).toMatch(new RegExp(`^${deploymentId(3)} +${status} `));
    expect(why).toBe(`  ${reason}`);
    expect(second).toMatch(new RegExp(`^${deploymentId(2)} `));
  });

  it("prints one document with --json", async () => {
    expect(JSON.parse((await cli("list", "--json")).out).deployments).toHaveLength(2);
  });

  it("shows no control characters that a commit message holds, and no colours without a terminal", async () => {
    engine.state.deployments.set(
      deploymentId(3),
      deploymentView(3, { commit: { sha: "1234567", message: "evil\x1b[2J\x1b]0;title\x07\rname" } }),
    );
    const { out } = await cli("list");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    expect(out).toContain("evil");
  });

  it("shows what an engine of before has stored of texts that turn a line round, and a refusal's own text, as they are and harmless", async () => {
    const message = "safe\u202egpj.exe\x9b2J";
    engine.state.deployments.set(deploymentId(3), deploymentView(3, { commit: { sha: "1234567", message } }));
    const { out } = await cli("list", "--json");
    expect(out).toContain("safe\\u202egpj.exe\\u009b2J");
    expect(JSON.parse(out).deployments[0].commit.message).toBe(message);
    engine.state.instead.set("GET /v1/environments", { status: 409, body: { error: { code: "x", message: `no ${message}\x1b[2J\x07` } } });
    expect((await cli("list")).err).toBe("error: no safe<U+202E>gpj.exe  \n".replace("  ", " "));
  });
});

describe("what a rollback took down", () => {
  const down = {
    deploymentId: deploymentId(1),
    at: at(60),
    by: "ben",
    rollback: 3,
    to: deploymentId(2),
    why: "it answers 500",
    wasLive: true,
  };

  it("is said by list and inspect: that it was rolled back, by whom, to what and why", async () => {
    engine.state.environments = [environmentView({ takenDown: [down], history: [] })];
    expect((await cli("list")).out).toMatch(new RegExp(`^${deploymentId(1)} +success \\(rolled back\\) `, "m"));
    const { out } = await cli("inspect", deploymentId(1));
    expect(out).toMatch(new RegExp(`^rolled back +by ben \\S+ ago to ${deploymentId(2)} \\(#3\\): it answers 500$`, "m"));
    expect(JSON.parse((await cli("inspect", deploymentId(1), "--json")).out).rolledBack).toEqual(down);
  });

  it("is less than that it was swept, which list and inspect say", async () => {
    const swept = { at: at(90), rule: "was-live" as const, keep: { releases: 1, days: 0, window: 0 } };
    engine.state.environments = [environmentView({ takenDown: [down], history: [] })];
    engine.state.deployments.set(deploymentId(1), deploymentView(1, { status: "success", swept }));
    expect((await cli("list")).out).toMatch(new RegExp(`^${deploymentId(1)} +success \\(swept\\) `, "m"));
    expect((await cli("inspect", deploymentId(1))).out).toMatch(/^swept +\d+\w ago: it was not among the last 1 that were live/m);
  });

  it("is not said of what the rollback only went past", async () => {
    engine.state.environments = [environmentView({ takenDown: [{ ...down, wasLive: false }], history: [] })];
    expect((await cli("list")).out).not.toContain("rolled back");
    expect((await cli("inspect", deploymentId(1))).out).not.toContain("rolled back");
  });
});

describe("shiplog history", () => {
  const entry = (number: number, change: Partial<StubEngine["state"]["history"][number]> = {}) => ({
    deploymentId: deploymentId(number),
    sequence: number,
    previous: number === 1 ? null : deploymentId(number - 1),
    how: "deploy" as const,
    by: "alice",
    why: null,
    unproven: null,
    since: at(60 * number),
    until: at(60 * number + 60),
    ms: 60_000,
    ended: { how: "deploy" as const, by: "alice", why: null, to: deploymentId(number + 1) },
    commit: { sha: "1234567890", message: "Fix the | header\n\nIt was broken." },
    ...change,
  });

  it("is a line for each change of what was live: since, for how long, commit, by whom, how and why", async () => {
    engine.state.history = [
      entry(3, {
        deploymentId: deploymentId(1),
        how: "rollback",
        by: "ben",
        why: "it answers 500",
        until: null,
        ms: 7_260_000,
        ended: null,
      }),
      entry(2, { why: "faster", ended: { how: "rollback", by: "ben", why: "it answers 500", to: deploymentId(1) } }),
      entry(1),
    ];
    const { code, out, err } = await cli("history", "web/production");
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n").map((line) => line.trim().split(/ {2,}/))).toEqual([
      ["SINCE", "LIVE FOR", "SEQ", "RELEASE", "COMMIT", "BY", "HOW"],
      ["2026-11-23 14:03:00Z", "2h 01m, live", "#3", deploymentId(1), "1234567 Fix the | header", "ben", "rolled back to: it answers 500"],
      [
        "2026-11-23 14:02:00Z",
        "1m 00s",
        "#2",
        deploymentId(2),
        "1234567 Fix the | header",
        "alice",
        "deployed: faster; rolled back by ben: it answers 500",
      ],
      ["2026-11-23 14:01:00Z", "1m 00s", "#1", deploymentId(1), "1234567 Fix the | header", "alice", "deployed"],
      [""],
    ]);
    expect(JSON.parse((await cli("history", "--json")).out)).toMatchObject({
      site: "web",
      changes: [{ sequence: 3 }, { sequence: 2 }, { sequence: 1 }],
    });
  });

  it("is a table for a post-mortem with --markdown, in which no text of people is markup", async () => {
    engine.state.history = [entry(1, { why: "<b>`now`</b> for @everyone", until: null, ended: null })];
    const lines = (await cli("history", "--markdown")).out.split("\n");
    expect(lines[0]).toBe("## What was live in web/production");
    expect(lines[4]).toBe(
      `| 2026-11-23 14:01:00Z | 1m 00s, live | #1 \`${deploymentId(1)}\` | 1234567 Fix the \\| header | alice | deployed: \\<b\\>\\\`now\\\`\\</b\\> for \\@everyone |`,
    );
  });

  it("goes back as far as it is asked to, page by page, and says that there is more", async () => {
    engine.state.history = Array.from({ length: 230 }, (_, index) => entry(230 - index));
    const { out, err } = await cli("history", "--limit", "205");
    expect(out.trimEnd().split("\n")).toHaveLength(206);
    expect(out).toContain(" #26 ");
    expect(err).toContain("There is more:  shiplog history web/production --limit 1000");
    expect((await cli("history", "--limit", "0")).code).toBe(2);
  });

  it("is as of a moment with --at, and every page of it", async () => {
    engine.state.history = Array.from({ length: 230 }, (_, index) => entry(230 - index));
    const then = at(60 * 150);
    const { out, err } = await cli("history", "--at", then, "--limit", "120");
    const numbers = out.split("\n").flatMap((line) => / (#\d+) /.exec(line)?.[1] ?? []);
    expect(numbers).toEqual(Array.from({ length: 120 }, (_, index) => `#${150 - index}`));
    expect(err).toContain(`There is more:  shiplog history web/production --at ${then} --limit 600`);
    expect(JSON.parse((await cli("history", "--at", then, "--json")).out)).toMatchObject({ at: then, changes: { length: 20 } });
    expect((await cli("history", "--at", "noon")).code).toBe(2);
  });

  it("says so where nothing was ever live", async () => {
    expect(await cli("history")).toMatchObject({ code: 0, out: "", err: "Nothing was ever live in web/production.\n" });
    expect(await cli("history", "--at", "2h")).toMatchObject({ code: 0, err: "Nothing had been live yet in web/production at 2h.\n" });
  });
});

describe("shiplog status", () => {
  it("says why what is live is live: what was said of the rollback, and not of the deployment that it went to", async () => {
    engine.state.deployments.set(deploymentId(2), deploymentView(2, { status: "success", endedAt: at(90), why: "a new menu" }));
    expect((await cli("status")).out).toMatch(/^ {2}why +a new menu$/m);
    engine.state.environments = [environmentView({ live: { ...liveView(2), reason: "rollback", why: "the newer one answers 500" } })];
    const { out } = await cli("status");
    expect(out).toMatch(/^ {2}why +the newer one answers 500$/m);
    expect(out).not.toContain("a new menu");
  });

  it("says how to undo a rollback where nothing older is left", async () => {
    const taken = { at: at(0), by: "alice", rollback: 3, to: deploymentId(1), why: null };
    engine.state.environments = [
      environmentView({
        live: { ...liveView(1), sequence: 3, reason: "rollback" },
        takenDown: [
          { ...taken, deploymentId: deploymentId(7), wasLive: false },
          { ...taken, deploymentId: deploymentId(6), rollback: 2, wasLive: true },
          { ...taken, deploymentId: deploymentId(2), wasLive: true },
        ],
      }),
    ];
    engine.state.planned = { plan: null, refusal: { code: "rollback.nothing", message: "There is nothing to go back to." } };
    expect((await cli("status")).out).toMatch(
      new RegExp(`^ {2}undo +shiplog rollback ${deploymentId(2)} {2}\\(what the rollback took down`, "m"),
    );
    expect(await cli("rollback", "--yes")).toMatchObject({
      code: 6,
      err: expect.stringContaining(`To undo the rollback before:  shiplog rollback ${deploymentId(2)}\n`),
    });
  });

  it("is a line for each of many environments, by as many requests as of three hundred", async () => {
    const place = (n: number, over: Parameters<typeof environmentView>[0] = {}) =>
      environmentView({ site: `site-${n}`, live: { ...liveView(2), deploymentId: deploymentId(100 + n) }, ...over });
    engine.state.environments = [
      place(0, { pin: { reason: "frozen", actor: "alice", at: at(0) }, warnings: ["one", "two"] }),
      place(1, { live: null }),
      ...Array.from({ length: 298 }, (_, n) => place(n + 2)),
    ];
    for (let n = 0; n < 300; n++)
      engine.state.deployments.set(
        deploymentId(100 + n),
        deploymentView(100 + n, { site: `site-${n}`, status: "success", endedAt: at(90) }),
      );
    engine.state.deployments.set(deploymentId(900), deploymentView(900, { site: "site-5", status: "building" }));
    // among three hundred that are newer
    engine.state.deployments.set(deploymentId(50), deploymentView(50, { site: "site-6", sequence: 500, status: "failed", endedAt: at(4) }));
    engine.state.looks = 1_000;
    engine.state.asked.length = 0;
    const { out, err } = await cli("status");
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(301);
    expect(lines[0]).toMatch(/^WHERE +LIVE +SEQ +SINCE +BY +NOW +COMMIT$/);
    expect(lines[1]).toMatch(
      /^site-0\/production +dep_\S+ +#2 +\S+ ago +alice \(token default\) +pinned, 2 warnings +1234567 Fix the header$/,
    );
    expect(lines[2]).toMatch(/^site-1\/production +- +- +- +- +-$/);
    expect(lines[6]).toMatch(/^site-5\/production .* 1 under way /);
    expect(lines[7]).toMatch(/^site-6\/production .* failed /);
    expect(err.trim()).toBe("More of one of them:  shiplog status <site>/<environment>");
    // the environments, how full the code storage is, what is live a hundred at a time, and each of seven statuses
    expect(engine.state.asked.map(({ method }) => method)).toEqual(Array(12).fill("GET"));
    expect(JSON.parse((await cli("status", "--json")).out).environments).toHaveLength(300);
  });

  it("says what a deployment that is queued waits for", async () => {
    const reason = "waiting for CodeBuild: Cannot have more than 1 builds in queue for the account";
    engine.state.deployments.set(deploymentId(3), deploymentView(3, { status: "queued", reason }));
    expect((await cli("status")).out).toMatch(new RegExp(`^ {2}under way +${deploymentId(3)} queued \\S+ ago: ${reason}$`, "m"));
  });

  it("says what failed last, where that is newer than what is live", async () => {
    const failed = { status: "failed", step: "build", reason: "exit 1", endedAt: at(4) } as const;
    engine.state.deployments.set(deploymentId(1), deploymentView(1, failed));
    expect((await cli("status")).out).not.toContain("failed");
    engine.state.deployments.set(deploymentId(3), deploymentView(3, failed));
    expect((await cli("status")).out).toMatch(
      new RegExp(
        `^ {2}failed +${deploymentId(3)} \\(#3\\) at build, \\S+ ago: exit 1; look with: {2}shiplog inspect ${deploymentId(3)}$`,
        "m",
      ),
    );
  });

  it("says what is live, why, what waits, and how to undo it", async () => {
    engine.state.planned.plan = rollbackPlan({
      skipped: [{ deploymentId: deploymentId(3), sequence: 3, is: "taken-down", why: "bob rolled it back" }],
    });
    engine.state.environments = [
      environmentView({
        live: { ...liveView(2), reason: "rollback", actor: "bob (token default)" },
        pin: { reason: "bad release", actor: "bob (token default)", at: at(0) },
        lock: { holder: "carol (token default)", reason: "migration", until: at(3_600), at: at(0) },
        waiting: { deploymentId: deploymentId(3), sequence: 3, since: at(0), by: "pin" },
        drifts: [{ function: "shiplog-web-production-server", at: at(0), says: "10 % of its requests go to version 6" }],
        warnings: ["The CDN was not told."],
      }),
    ];
    const { code, out } = await cli("status", "web/production");
    expect(code).toBe(0);
    for (const words of [
      "web/production  https://web.example.com",
      `live     ${deploymentId(2)} (#2), rolled back by bob (token default)`,
      'commit   1234567 (main) "Fix the header"',
      `waiting  ${deploymentId(3)} (#3) is ready, held by the pin`,
      "bad release; release with:  shiplog unpin web/production",
      "migration; release with:  shiplog unlock web/production",
      "drift    shiplog-web-production-server was changed by hand, seen",
      ": 10 % of its requests go to version 6; put it back as shown by:  shiplog doctor",
      "warning  The CDN was not told.",
      `undo     shiplog rollback web/production  (to ${deploymentId(1)} (#1))`,
      `not to ${deploymentId(3)} (#3): bob rolled it back`,
    ])
      expect(out).toContain(words);

    engine.state.planned = { plan: null, refusal: { code: "rollback.nothing", message: "nothing older was live here" } };
    expect((await cli("status", "web/production")).out).not.toContain("undo");
  });

  it("of a moment names it, and offers no command that would act on today", async () => {
    const pin = { reason: "bad release", actor: "bob", at: at(0) };
    const lock = { holder: "carol", reason: "migration", until: null, at: at(0) };
    engine.state.environments = [environmentView({ pin, lock }), environmentView({ environment: "staging", live: null, history: [] })];
    const { code, out } = await cli("status", "--at", "2026-11-23T14:00:00Z");
    expect([code, out]).toEqual([0, expect.stringMatching(/^As of 2026-11-23T14:00:00\.000Z\n\nweb\/production {2}/)]);
    for (const words of [`${deploymentId(2)} (#2), deployed by alice`, "bad release", "migration", "nothing yet"])
      expect(out).toContain(words);
    expect(out).not.toMatch(/undo|shiplog (rollback|deploy|unpin|unlock)/);
    expect((await cli("status", "--at", "001795442400000")).out).toMatch(/^As of position 001795442400000\n/);
    expect((await cli("status")).out).toContain("nothing yet:  shiplog deploy <dir>");
    expect((await cli("status", "web")).out).toMatch(/^web\/production [\s\S]*^web\/staging /m);
  });

  it("of a moment counts up to that, and refuses one that has not come", async () => {
    engine.state.deployments.set(deploymentId(2), deploymentView(2, { status: "building", queuedAt: at(0), endedAt: null }));
    expect((await cli("list", "--at", at(11))).out).toMatch(new RegExp(`^${deploymentId(2)} +building .* 11s ago +11s `, "m"));
    engine.state.environments = [environmentView()];
    expect((await cli("status", "web/production", "--at", at(120))).out).toMatch(/, deployed by \S+.* \d+[ms] ago/);
    for (const command of [["status"], ["list"], ["why", "web/production"]])
      expect(await cli(...command, "--at", "2126-01-01T00:00:00Z")).toMatchObject({
        code: 2,
        err: expect.stringContaining('--at "2126-01-01T00:00:00Z" has not come yet.'),
      });
    expect((await cli("list", "--at", "yesterday")).err).toContain("2h for two hours ago (ms, s, m, h, d), or a position of the log.");
  });

  it("lists the choices where the environment is unknown", async () => {
    expect(await cli("status", "shop")).toMatchObject({ code: 2, out: "", err: expect.stringContaining('There is no site "shop"') });
    expect((await cli("releases", "production")).err).toContain('There is no site "production". Did you mean web/production?');
    expect(await cli("why", deploymentId(2))).toMatchObject({
      code: 2,
      err: expect.stringContaining(`What became of the deployment:  shiplog inspect ${deploymentId(2)}`),
    });
    expect(await cli("status", "web/")).toMatchObject({ code: 2, out: "", err: expect.stringContaining('"web/" is not an environment') });
    expect(await cli("status", "web/nope")).toMatchObject({ code: 2, out: "", err: expect.stringContaining("Known: web/production") });
  });

  it("prints one document with --json", async () => {
    expect(JSON.parse((await cli("status", "--json")).out).environments[0]).toMatchObject({
      environment: { site: "web" },
      liveDeployment: { id: deploymentId(2) },
      underWay: [],
    });
  });
});

describe("shiplog inspect", () => {
  it("shows the timeline with durations, and what the environment did for it", async () => {
    engine.state.script.push(["DeploymentSucceeded", { sequence: 2 }, 12]);
    engine.state.log.push([
      "AliasFlipped",
      { sequence: 2, deploymentId: deploymentId(2), function: "server", from: "1", to: "2", revisionId: "r" },
      10,
    ]);
    const { code, out } = await cli("inspect", deploymentId(2));
    expect(code).toBe(0);
    expect(out).toContain("status    success (live)");
    expect(out).toMatch(
      /14:00:10\.000Z +AliasFlipped +alice \(token default\) +#2 server 1 → 2\n.*14:00:12\.000Z +\+2\.0s +2\.0s +DeploymentSucceeded/,
    );
  });

  it("ends with 2 where the id is unknown or begins several", async () => {
    expect(await cli("inspect", "dep_01ZZ")).toMatchObject({ code: 2, err: expect.stringContaining("There is no deployment dep_01ZZ.") });
    const ambiguous = await cli("inspect", "dep_01JABC");
    expect(ambiguous).toMatchObject({ code: 2, out: "" });
    expect(ambiguous.err).toContain(`Give more characters of the id: ${deploymentId(1)}, ${deploymentId(2)}`);
  });
});

describe("shiplog events", () => {
  const pinned = ["EnvironmentPinned", { reason: "bad release", deploymentId: null }, 3] as const;

  it("is one event a line", async () => {
    engine.state.log.push(pinned);
    const { code, out } = await cli("events");
    expect(code).toBe(0);
    expect(out).toBe(`${at(3)}  00${Date.parse(at(3))}  web/production  EnvironmentPinned     bad release\n`);
    expect(JSON.parse((await cli("events", "--json")).out).events).toHaveLength(1);
    expect((await cli("events", "--type", "AliasFlipped")).out).toBe("");
  });

  it("shows an event that a newer engine wrote", async () => {
    engine.state.log.push(["MoonLanded", { crater: 7 }, 3]);
    expect((await cli("events")).out).toContain('MoonLanded            {"crater":7}');
  });

  it("follows one deployment to its end, as NDJSON, with the deployment's exit code", async () => {
    engine.state.script.push(["BuildStarted", { buildId: "b" }, 1], ["DeploymentFailed", { step: "build", reason: "exit 1" }, 2]);
    const { code, out } = await cli("events", deploymentId(1), "--follow", "--json");
    expect(code).toBe(5);
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(["BuildStarted", "DeploymentFailed"]);
  });

  it("follows the log until Ctrl-C, without telling an event twice", async () => {
    engine.state.log.push(pinned);
    const following = startCli(["events", "--follow", "--json"], { env: engine.env });
    const looks = () => engine.state.asked.filter(({ path }) => path === "/v1/events").length;
    await until("the log to be read", () => looks() >= 2);
    engine.state.log.push(["EnvironmentUnpinned", {}, 5]);
    const seen = looks();
    await until("the log to be read again, more than once", () => looks() >= seen + 3);
    following.interrupt();
    const { code, out } = await following.finished;
    expect(code).toBe(130);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).type),
    ).toEqual(["EnvironmentPinned", "EnvironmentUnpinned"]);
  });

  it("shows the dead letters", async () => {
    expect((await cli("events", "--dead-letters")).out).toMatch(/CONSUMER +MESSAGE +AT +REASON\nproject +m1 +\S+ +unknown event\n/);
    expect((await cli("events", "--dead-letters", "--follow")).code).toBe(2);
  });

  it("forgets the dead letters of an environment that is named, and asks before", async () => {
    const empty = (...words: string[]) => cli("events", "--dead-letters", "--empty", ...words);
    expect(await empty("web/production")).toMatchObject({ code: 2, err: expect.stringContaining("Say it with --yes") });
    expect(await empty("web", "--yes")).toMatchObject({ code: 2, err: expect.stringContaining("takes <site>/<environment>") });
    expect(await cli("events", "--empty", "web/production")).toMatchObject({
      code: 2,
      err: expect.stringContaining("goes with --dead-letters"),
    });
    expect(engine.state.emptied).toEqual([]);
    expect(await empty("web/production", "--yes")).toMatchObject({
      code: 0,
      err: expect.stringContaining("About 7 dead letters of web/production are forgotten."),
    });
    expect(engine.state.emptied).toEqual(["web/production"]);
  });
});

describe("shiplog logs", () => {
  it("prints the build's lines", async () => {
    engine.state.logLines = ["one\n", "two\n"];
    expect(await cli("logs", deploymentId(1))).toEqual({ code: 0, out: "one\ntwo\n", err: "" });
    expect(JSON.parse((await cli("logs", deploymentId(1), "--json")).out).lines).toHaveLength(2);
    expect((await cli("logs", deploymentId(1), "--json", "--follow")).out.trimEnd().split("\n")).toHaveLength(2);
  });
  it("ends with the error of a build that failed, beside what it prints", async () => {
    const at = "[Container] 2026/11/23 10:00:00.123456";
    engine.state.logLines = [
      `${at} Running command npm run build\n`,
      "Type error: it is not\n",
      `${at} Command did not exit successfully npm run build exit status 1\n`,
    ];
    const { out, err } = await cli("logs", deploymentId(1));
    expect(out.trimEnd().split("\n")).toHaveLength(3);
    expect(err).toBe("\nThe build's error, at line 2 of its log:\n> Type error: it is not\n");
  });
});
