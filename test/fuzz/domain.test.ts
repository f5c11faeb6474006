import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deployment } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Commit, commitHash, commitId, verifyChain } from "../../domain/kernel/chain.ts";
import { type Decider, fold, isRefusal } from "../../domain/kernel/decider.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { commitOf, eventsOf, itemCodec, sha256 } from "../../engine/log/codec.ts";
import { deploymentCommand, environmentCommand } from "./given.ts";

const RUNS = { numRuns: 1_500 };
/** A second one is a second wish: it goes one further back, renews the lock, or takes a new sequence. */
const WISHES = ["RequestRollback", "LockEnvironment", "RestoreLive"];

/** Runs commands as a stream would see them: what is refused changes nothing. */
const runAll = <C extends { type: string }, S, E extends AnyEvent>(decider: Decider<C, S, E>, commands: readonly C[]): E[] => {
  const events: E[] = [];
  for (const command of commands) {
    const outcome = decider.decide(command, fold(decider, events));
    if (isRefusal(outcome)) {
      expect(outcome.because.length).toBeGreaterThan(5);
      continue;
    }
    events.push(...outcome);
    if (outcome.length === 0 || WISHES.includes(command.type)) continue;
    const again = decider.decide(command, fold(decider, events));
    if (!isRefusal(again)) expect(again, `asked again: ${JSON.stringify(command)}`).toEqual([]);
  }
  return events;
};

/** The events as commits of one stream, one a commit, written by any text for who and why. */
const commitsOf = (stream: string, events: readonly AnyEvent[], said: readonly string[]): Commit[] => {
  const commits: Commit[] = [];
  for (const [index, event] of events.entries()) {
    const cause = `${said[index % said.length] ?? ""}-${index}`;
    const bare = {
      stream,
      version: index + 1,
      id: commitId(sha256, stream, cause),
      body: JSON.stringify([event]),
      cause,
      correlation: said[0] ?? "",
      actor: said.at(-1) ?? "",
      origin: "",
      at: new Date(1_800_000_000_000 + index).toISOString(),
      position: positionAt(1_800_000_000_000 + index),
      prev: commits.at(-1)?.hash ?? "",
    };
    commits.push({ ...bare, hash: commitHash(sha256, bare) });
  }
  return commits;
};

const texts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { minLength: 1, maxLength: 4 });
const toItem = itemCodec("any");

describe("whatever a deployment is told", () => {
  it("it decides the same again as nothing, folds, and is shown", () => {
    fc.assert(
      fc.property(fc.array(deploymentCommand, { maxLength: 25 }), (commands) => {
        const events = runAll(deployment, commands);
        let view: DeploymentView | undefined;
        for (const [index, event] of events.entries()) {
          const [commit] = commitsOf("deployment/any", [event], ["x"]);
          const [recorded] = eventsOf(commit as Commit);
          view = projectDeployment(view, { ...(recorded as NonNullable<typeof recorded>), version: index + 1, ...event });
        }
        expect(view?.version ?? 0).toBe(events.length);
      }),
      RUNS,
    );
  });
});

describe("whatever an environment is told", () => {
  it("it decides the same again as nothing, folds, and is shown", () => {
    fc.assert(
      fc.property(fc.array(environmentCommand, { maxLength: 25 }), (commands) => {
        const events = runAll(environment, commands);
        let view = emptyEnvironment("web", "production");
        for (const [index, event] of events.entries()) {
          const [commit] = commitsOf("environment/any", [event], ["x"]);
          const [recorded] = eventsOf(commit as Commit);
          view = projectEnvironment(view, { ...(recorded as NonNullable<typeof recorded>), version: index + 1, ...event });
        }
        expect(view.version).toBe(events.length);
      }),
      RUNS,
    );
  });

  it("the sequence that a flip is requested with only rises", () => {
    fc.assert(
      fc.property(fc.array(environmentCommand, { maxLength: 40 }), (commands) => {
        const sequences = runAll(environment, commands).flatMap((event) => (event.type === "FlipRequested" ? [event.body.sequence] : []));
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
      }),
      RUNS,
    );
  });
});

describe("what was stored", () => {
  it.each([
    ["deployment", deployment as Decider<never, unknown, AnyEvent>, deploymentCommand as fc.Arbitrary<never>, readDeploymentEvent],
    ["environment", environment as Decider<never, unknown, AnyEvent>, environmentCommand as fc.Arbitrary<never>, readEnvironmentEvent],
  ] as const)("of a %s is read again as it was written, whatever texts are in it", (kind, decider, command, read) => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), texts, (commands, said) => {
        const events = runAll(decider as Decider<{ type: string }, unknown, AnyEvent>, commands);
        const commits = commitsOf(`${kind}/any`, events, said);
        const stored = commits.map(toItem).map(commitOf);
        expect(stored).toEqual(commits);
        expect(verifyChain(sha256, stored)).toBeUndefined();
        const again = stored.flatMap(eventsOf).map(({ type, v, body }) => read({ type, v, body }));
        expect(again).toEqual(JSON.parse(JSON.stringify(events)));
        // a line of a sealed segment is the same commit
        expect(stored.map((commit) => JSON.parse(JSON.stringify(commit)))).toEqual(commits);
      }),
      RUNS,
    );
  });

  it("is refused when any one character of it is another", () => {
    fc.assert(
      fc.property(fc.array(environmentCommand, { minLength: 3, maxLength: 12 }), fc.nat(), fc.nat(), (commands, which, where) => {
        const commits = commitsOf("environment/any", runAll(environment, commands), ["cause"]);
        fc.pre(commits.length > 0);
        const place = which % commits.length;
        const { body } = commits[place] as Commit;
        const spot = where % body.length;
        const other = `${body.slice(0, spot)}${body[spot] === "x" ? "y" : "x"}${body.slice(spot + 1)}`;
        const fault = verifyChain(sha256, commits.with(place, { ...(commits[place] as Commit), body: other }));
        expect(fault?.version).toBe(place + 1);
      }),
      RUNS,
    );
  });
});
