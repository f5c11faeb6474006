import { type Deployment, deployment as deploymentDecider, hasEnded } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environment as environmentDecider } from "../../domain/environment/decider.ts";
import { type EnvironmentEvent, readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import type { Stored } from "./aws/event-table.ts";

type FlipRequested = Extract<EnvironmentEvent, { type: "FlipRequested" }>["body"];
export type Place = {
  readonly state: Environment;
  /** version of the stream at which each deployment was admitted */
  readonly admitted: Map<string, number>;
  readonly flips: Map<number, FlipRequested>;
  /** the newest choice of what goes live: version at which it was admitted, or asked for */
  chosen: number;
  highest: number;
  readonly flipped: string[];
  /** deployments that went live by themselves */
  readonly deployed: Set<string>;
  /** sequences that went live */
  readonly went: Set<number>;
};
export type Course = {
  readonly state: Deployment;
  ends: number;
  buildKnownAt: number;
  /** virtual time at which it was queued */
  queuedAt: number;
  cancelledAt: number;
  /** virtual time at which it ended */
  endedAt: number;
};

/** What the log says, kept beside it as it grows: the domain's own folds, and what the invariants need besides. */
export type Ledger = ReturnType<typeof ledgerOf>;

export const ledgerOf = () => {
  const places = new Map<string, Place>();
  const courses = new Map<string, Course>();
  const causes = new Set<string>();
  const transitions = new Set<string>();

  /** What is known of a stream; nothing yet of one that has no events. */
  const placeOf = (stream: string): Place =>
    places.get(stream) ?? {
      state: environmentDecider.initial(),
      admitted: new Map(),
      flips: new Map(),
      chosen: 0,
      highest: 0,
      flipped: [],
      deployed: new Set(),
      went: new Set(),
    };
  const courseOf = (stream: string): Course =>
    courses.get(stream) ?? {
      state: deploymentDecider.initial(),
      ends: 0,
      buildKnownAt: 0,
      queuedAt: Number.POSITIVE_INFINITY,
      cancelledAt: 0,
      endedAt: Number.POSITIVE_INFINITY,
    };

  return {
    places: places as ReadonlyMap<string, Place>,
    courses: courses as ReadonlyMap<string, Course>,
    /** `queued → building` */
    transitions: transitions as ReadonlySet<string>,
    placeOf,
    courseOf,
    /** `false` where this cause has a decision in this stream already. */
    isFirst: ({ commit }: Stored): boolean => {
      const key = `${commit.stream}\n${commit.cause}`;
      if (causes.has(key)) return false;
      causes.add(key);
      return true;
    },
    /** Takes the events of a commit in, after `look` has seen each before it counts. */
    take: ({ commit, at }: Stored, look: (event: Recorded) => void): void => {
      for (const event of eventsOf(commit)) {
        look(event);
        if (commit.stream.startsWith("deployment/")) takeDeployment(event, at);
        else if (commit.stream.startsWith("environment/")) takeEnvironment(event);
      }
    },
  };

  function takeDeployment(event: Recorded, at: number): void {
    const course = courseOf(event.stream);
    courses.set(event.stream, course);
    const before = course.state.status;
    const known = readDeploymentEvent(event);
    deploymentDecider.evolve(course.state, known);
    if (hasEnded(course.state)) course.endedAt = Math.min(course.endedAt, at);
    if (course.state.status !== before) transitions.add(`${before} → ${course.state.status}`);
    if (known.type === "BuildStarted" || (known.type === "BuildSucceeded" && course.buildKnownAt === 0))
      course.buildKnownAt = event.version;
    if (known.type === "DeploymentQueued") course.queuedAt = at;
    if (known.type === "CancelRequested") course.cancelledAt = event.version;
  }

  function takeEnvironment(event: Recorded): void {
    const place = placeOf(event.stream);
    places.set(event.stream, place);
    const known = readEnvironmentEvent(event);
    environmentDecider.evolve(place.state, known);
    switch (known.type) {
      case "DeploymentAdmitted":
        place.admitted.set(known.body.deploymentId, event.version);
        place.highest = Math.max(place.highest, known.body.sequence);
        break;
      case "FlipRequested":
        place.flips.set(known.body.sequence, known.body);
        place.highest = Math.max(place.highest, known.body.sequence);
        if (known.body.reason === "deploy") place.chosen = Math.max(place.chosen, place.admitted.get(known.body.deploymentId) ?? 0);
        else if (known.body.reason !== "restore") place.chosen = event.version;
        break;
      case "AliasFlipped":
        place.flipped.push(`${known.body.function} ${known.body.sequence}`);
        break;
      case "ReleaseWentLive":
        place.went.add(known.body.sequence);
        if (known.body.reason === "deploy") place.deployed.add(known.body.deploymentId);
        break;
    }
  }
};
