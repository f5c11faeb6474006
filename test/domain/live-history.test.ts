import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import { liveHistory } from "../../domain/projections/live-history.ts";
import { asked } from "../support/given.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const by = { actor: "ada", at: at() };
const deploy = (n: number): EnvironmentCommand[] => [
  { type: "AdmitDeployment", request: request(n), ...by },
  { type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...by },
  { type: "RecordWentLive", sequence: n },
];
const back = (sequence: number, to: number, why?: string): EnvironmentCommand[] => [
  { type: "RequestRollback", to: deploymentId(to), ...(why !== undefined && { why }), actor: "ben", at: at() },
  { type: "RecordWentLive", sequence },
];

/** Each event a second after the one before. */
const recorded = (commands: readonly EnvironmentCommand[]): Recorded<EnvironmentEvent>[] =>
  asked(environment)(...commands).map(
    (event, n) => ({ ...event, version: n + 1, index: 0, at: at(n), actor: "shiplog" }) as Recorded<EnvironmentEvent>,
  );
const rowAfter = (commands: readonly EnvironmentCommand[]) =>
  recorded(commands).reduce((view, event) => projectEnvironment(view, event), emptyEnvironment("web", "production"));

describe("what was live", () => {
  const past = recorded([...deploy(1), ...deploy(2), ...back(3, 1, "the checkout answers 500"), { type: "UnpinEnvironment", ...by }]);
  const [now, bad, first] = liveHistory(past);

  it("is told newest first, each until the next", () => {
    expect(liveHistory(past).map(({ deploymentId: id, sequence }) => [id, sequence])).toEqual([
      [deploymentId(1), 3],
      [deploymentId(2), 2],
      [deploymentId(1), 1],
    ]);
    expect(first?.until).toBe(bad?.since);
    expect(bad?.until).toBe(now?.since);
    expect([now?.until, now?.ended]).toEqual([null, null]);
  });

  it("says how each came, by whom and why, and how it ended", () => {
    expect(now).toMatchObject({ how: "rollback", by: "ben", why: "the checkout answers 500", previous: deploymentId(2) });
    expect(first).toMatchObject({ how: "deploy", by: "ada", why: null, previous: null, ended: { how: "deploy", to: deploymentId(2) } });
    expect(bad?.ended).toEqual({ how: "rollback", by: "ben", why: "the checkout answers 500", to: deploymentId(1) });
  });
});

describe("an environment's row", () => {
  it("says of what a rollback took down who did it, when, why, and what is live instead", () => {
    const row = rowAfter([...deploy(1), ...deploy(2), ...deploy(3), ...back(4, 1, "the checkout answers 500")]);
    expect(row.live).toMatchObject({ deploymentId: deploymentId(1), reason: "rollback", why: "the checkout answers 500" });
    const down = { by: "ben", rollback: 4, to: deploymentId(1), why: "the checkout answers 500", at: row.live?.at };
    expect(row.takenDown).toEqual([
      { ...down, deploymentId: deploymentId(2), wasLive: false },
      { ...down, deploymentId: deploymentId(3), wasLive: true },
    ]);
    expect(row.standing).toEqual([deploymentId(1)]);
  });

  it("says it no more of what somebody chose again", () => {
    const row = rowAfter([...deploy(1), ...deploy(2), ...back(3, 1), ...back(4, 2)]);
    expect(row.takenDown).toEqual([]);
    expect(row.standing).toEqual([deploymentId(1), deploymentId(2)]);
  });

  it("keeps the time of an older rollback when a newer one comes", () => {
    const first = rowAfter([...deploy(1), ...deploy(2), ...back(3, 1)]);
    const both = rowAfter([...deploy(1), ...deploy(2), ...back(3, 1), { type: "UnpinEnvironment", ...by }, ...deploy(4), ...back(5, 1)]);
    expect(both.takenDown.map(({ deploymentId: id, rollback }) => [id, rollback])).toEqual([
      [deploymentId(4), 5],
      [deploymentId(2), 3],
    ]);
    expect(both.takenDown[1]?.at).toBe(first.takenDown[0]?.at);
  });
});
