import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import {
  at,
  deploymentId,
  deploymentView,
  environmentView,
  plannedRelease,
  release,
  rollbackPlan,
  type StubEngine,
  stubEngine,
} from "./support/stub-engine.ts";

let engine: StubEngine;
const cli = (...words: string[]) => runCli(words, { env: engine.env });
const posted = (path: string) => engine.state.asked.find((asked) => asked.method === "POST" && asked.path === path)?.body;
beforeEach(async () => {
  engine = await stubEngine();
  for (const number of [1, 2]) engine.state.deployments.set(deploymentId(number), deploymentView(number, { status: "success" }));
});
afterEach(() => engine.close());

describe("shiplog rollback", () => {
  const live = [
    "ReleaseWentLive",
    {
      sequence: 3,
      deploymentId: deploymentId(1),
      release: release(1),
      reason: "rollback",
      actor: "ada",
      previous: { sequence: 2, deploymentId: deploymentId(2) },
    },
  ] as const;

  it("goes to the one before, waits until it is live, and says that the environment is pinned and how to undo it", async () => {
    engine.state.rollbackScript.push(["EnvironmentPinned", { reason: "r", deploymentId: null }], live);
    const { code, out, err } = await cli("rollback", "--yes", "--reason", "it is broken");
    expect(code).toBe(0);
    expect(posted("/v1/environments/web/production/rollback")).toEqual({
      to: deploymentId(1),
      from: deploymentId(2),
      reason: "it is broken",
    });
    expect(out).toContain(`live    ${deploymentId(2)} → ${deploymentId(1)} (#3)`);
    expect(out).toContain("pinned  later deployments are built and then wait");
    expect(err).toContain(`shiplog rollback ${deploymentId(2)}`);
    expect(err).toContain("shiplog unpin web/production");
  });

  it("goes to the one that is named, and prints one document with --json", async () => {
    engine.state.rollbackScript.push(live);
    const { code, out } = await cli("rollback", deploymentId(1), "--yes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ liveBefore: deploymentId(2), liveAfter: deploymentId(1), sequence: 3, alreadyLive: false });
  });

  it("sees its end also where a newer engine says more, or otherwise, in the event", async () => {
    engine.state.rollbackScript.push(["ReleaseWentLive", { sequence: 3, deployment: "named otherwise" }]);
    expect((await cli("rollback", "--yes")).code).toBe(0);
  });

  it("changes nothing where it is live already", async () => {
    engine.state.planned.plan = rollbackPlan({ to: plannedRelease(2), already: "live" });
    expect(await cli("rollback", deploymentId(2), "--yes")).toMatchObject({
      code: 0,
      out: expect.stringContaining("is live in web/production already"),
    });
  });

  it("needs --yes without a terminal, and shows both releases and what it passes over", async () => {
    engine.state.planned.plan = rollbackPlan({
      skipped: [{ deploymentId: deploymentId(3), sequence: 3, is: "taken-down", why: "bob rolled it back: broken checkout" }],
    });
    const { code, out, err } = await cli("rollback");
    expect(code).toBe(2);
    expect(out).toBe("");
    const about = '1234567 "Fix the header" by Ada, deployed by alice (token default)';
    expect(err).toContain(`from         ${deploymentId(2)} (#2)  ${about}  live for 1m 00s until now`);
    expect(err).toMatch(new RegExp(`to {11}${deploymentId(1)} \\(#1\\) {2}.* {2}live for 2h 00m, until \\d+d ago`));
    expect(err).toContain(`passed over  ${deploymentId(3)} (#3)  bob rolled it back: broken checkout`);
    expect(err).toContain(`Roll web/production back from ${deploymentId(2)} (#2) to ${deploymentId(1)} (#1)?`);
    expect(err).toContain("Say it with --yes.");
    expect(posted("/v1/environments/web/production/rollback")).toBeUndefined();
  });

  it("takes an environment as its argument, as other commands do", async () => {
    engine.state.rollbackScript.push(live);
    expect((await cli("rollback", "web/production", "--yes")).code).toBe(0);
    expect(posted("/v1/environments/web/production/rollback")).toMatchObject({ to: deploymentId(1) });
    expect(await cli("rollback", "web/production", "--env", "production")).toMatchObject({ code: 2 });
  });

  it("goes by force where it is told to, and says what was wrong", async () => {
    engine.state.planned.plan = rollbackPlan({ caution: { deploymentId: deploymentId(1), sequence: 1, is: "unfit", why: "it was 500" } });
    engine.state.rollbackScript.push([live[0], { ...live[1], unproven: "it answered 500" }]);
    const { code, out, err } = await cli("rollback", deploymentId(1), "--force", "--yes");
    expect(code).toBe(0);
    expect(posted("/v1/environments/web/production/rollback")).toMatchObject({ to: deploymentId(1), force: true });
    expect(err).toContain(`beware  ${deploymentId(1)} (#1)  it was 500`);
    expect(out).toContain("unproven  it answered 500");
  });

  it("offers no way forth to where it came from, which has not been live", async () => {
    engine.state.planned.plan = rollbackPlan({ from: { ...plannedRelease(3, { live: null }), goingLive: true }, to: plannedRelease(2) });
    engine.state.rollbackScript.push(live);
    const { err } = await cli("rollback", "--yes");
    expect(err).toMatch(new RegExp(`from {2}${deploymentId(3)} .* going live at this moment`));
    expect(err).not.toContain("To undo");
  });

  it("ends with 6 where there is nothing to go back to, and says why", async () => {
    engine.state.planned = { plan: null, refusal: { code: "rollback.nothing", message: "nothing older was live here" } };
    expect(await cli("rollback", "--yes")).toMatchObject({
      code: 6,
      err: expect.stringContaining("web/production cannot be rolled back: nothing older was live here."),
    });
  });

  it("says that the next one passes a release over that does not run", async () => {
    engine.state.rollbackScript.push(["FlipFailed", { sequence: 3, reason: "it answered 500", unfit: true }]);
    const { code, err } = await cli("rollback", "--yes");
    expect(code).toBe(5);
    expect(err).toContain("The next rollback passes it over:  shiplog rollback web/production\n");
    expect(err).toContain(`shiplog rollback ${deploymentId(1)} --force`);
  });

  it("ends with 5 where the flip failed", async () => {
    engine.state.rollbackScript.push([
      "FlipFailed",
      { sequence: 3, deploymentId: deploymentId(1), flip: "rollback", reason: "version 1 is gone" },
    ]);
    expect(await cli("rollback", "--yes")).toMatchObject({ code: 5, out: "", err: expect.stringContaining("version 1 is gone") });
  });

  it("ends with 3 where it was overtaken", async () => {
    engine.state.rollbackScript.push(["FlipSuperseded", { sequence: 3, deploymentId: deploymentId(1), reason: "rollback", by: 4 }]);
    expect(await cli("rollback", "--yes")).toMatchObject({ code: 3, out: "", err: expect.stringContaining("overtaken by #4") });
  });

  it("ends with 124 at --timeout and with 130 at Ctrl-C: it goes on", async () => {
    expect(await cli("rollback", "--yes", "--timeout", "500ms")).toMatchObject({
      code: 124,
      err: expect.stringContaining("shiplog status web/production"),
    });
    const asked = engine.state.asked.filter(({ method, path }) => method === "GET" && path.endsWith("/events")).length;
    const waiting = startCli(["rollback", "--yes"], { env: engine.env });
    await until(
      "the rollback to be followed",
      () => engine.state.asked.filter(({ method, path }) => method === "GET" && path.endsWith("/events")).length > asked,
    );
    waiting.interrupt();
    expect(await waiting.finished).toMatchObject({ code: 130, err: expect.stringContaining("It goes on.") });
  });
});

describe("shiplog cancel", () => {
  beforeEach(() => void engine.state.deployments.set(deploymentId(3), deploymentView(3, { status: "building" })));

  it("waits until the build was seen stopped", async () => {
    engine.state.script.push(["CancelRequested", { reason: "typo" }, 1], ["DeploymentCancelled", { reason: "stopped" }, 2]);
    const { code, out } = await cli("cancel", deploymentId(3), "--yes", "--reason", "typo");
    expect(code).toBe(0);
    expect(out).toBe(`${deploymentId(3)} cancelled\n`);
  });

  it("needs --yes without a terminal", async () => {
    expect(await cli("cancel", deploymentId(3))).toMatchObject({ code: 2, err: expect.stringContaining("which is building?") });
  });

  it("asks nothing about one that has ended: the rules refuse it", async () => {
    engine.state.deployments.set(deploymentId(3), deploymentView(3, { status: "failed", endedAt: at(0) }));
    engine.state.instead.set(`POST /v1/deployments/${deploymentId(3)}/cancel`, {
      status: 409,
      body: { error: { code: "deployment.ended", message: "It has already ended: failed." } },
    });
    expect(await cli("cancel", deploymentId(3))).toMatchObject({ code: 6, err: expect.stringContaining("already ended: failed.") });
  });

  it("does not wait with --no-wait, and ends with 6 where the rules refuse", async () => {
    expect(await cli("cancel", deploymentId(3), "--yes", "--no-wait")).toMatchObject({ code: 0, out: `${deploymentId(3)} cancelling\n` });
    engine.state.instead.set(`POST /v1/deployments/${deploymentId(3)}/cancel`, {
      status: 409,
      body: { error: { code: "deployment.ended", message: "It has ended already." } },
    });
    expect(await cli("cancel", deploymentId(3), "--yes")).toMatchObject({
      code: 6,
      out: "",
      err: expect.stringContaining("It has ended already."),
    });
  });
});

describe("pins and locks", () => {
  it("pins and unpins, and says what goes live", async () => {
    expect(await cli("pin", "web/production", "--reason", "bad")).toMatchObject({
      code: 0,
      out: expect.stringContaining("web/production is pinned"),
    });
    expect(posted("/v1/environments/web/production/pin")).toEqual({ reason: "bad" });
    const waiting = { deploymentId: deploymentId(3), sequence: 3, since: at(0), by: "pin" } as const;
    engine.state.environments = [environmentView({ waiting, pin: { reason: "bad release", actor: "bob", at: at(0) } })];
    expect(await cli("unpin")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^web\/production is no longer pinned; bob had pinned it \S+ ago: bad release\n$/),
      err: expect.stringContaining("goes live now"),
    });
  });

  it("says that a place that is pinned stays pinned as it was, with whose reason", async () => {
    engine.state.environments = [environmentView({ pin: { reason: "bad release", actor: "bob", at: at(0) } })];
    expect(await cli("pin", "--reason", "mine")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^web\/production was pinned already, by bob \S+ ago: bad release; nothing was changed\.\n$/),
    });
  });

  it("says that nothing was changed where there was no pin and no lock", async () => {
    expect(await cli("unpin")).toMatchObject({ code: 0, out: "web/production was not pinned: nothing was changed.\n", err: "" });
    expect(await cli("unlock")).toMatchObject({ code: 0, out: "web/production was not locked: nothing was changed.\n", err: "" });
  });

  it("locks for a time", async () => {
    const asked = Date.now();
    expect((await cli("lock", "--reason", "migration", "--until", "2h")).code).toBe(0);
    const answered = Date.now();
    const { until } = posted("/v1/environments/web/production/lock") as { until: string };
    expect(Date.parse(until)).toBeGreaterThanOrEqual(asked + 2 * 3_600_000);
    expect(Date.parse(until)).toBeLessThanOrEqual(answered + 2 * 3_600_000);
    expect(JSON.parse((await cli("unlock", "--json")).out)).toMatchObject({ environment: { site: "web" } });
  });

  it("asks before it takes somebody's lock", async () => {
    engine.state.environments = [environmentView({ lock: { holder: "bob", reason: "migration", until: null, at: at(0) } })];
    const { code, err } = await cli("unlock", "--force");
    expect(code).toBe(2);
    expect(err).toContain('Take the lock of web/production from bob ("migration")?');
    expect(await cli("unlock", "--force", "--yes")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^web\/production is no longer locked; bob had locked it \S+ ago: migration\n$/),
    });
    expect(posted("/v1/environments/web/production/unlock")).toEqual({ force: true });
  });
});
