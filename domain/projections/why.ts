import * as z from "zod";
import type { DeploymentEvent } from "../deployment/events.ts";
import type { EnvironmentEvent } from "../environment/events.ts";
import type { Recorded } from "../kernel/event.ts";
import { factsOf, wording } from "../wording.ts";

/** One link of the answer: what happened, when, by whom, and the event that says so. */
export const Because = z.object({ what: z.string(), detail: z.string(), at: z.string(), actor: z.string(), event: z.string() });
export type Because = z.infer<typeof Because>;

/** The last thing that went live here, up to the events that are given; `undefined` where nothing had. */
export const liveAmong = (events: readonly Recorded<EnvironmentEvent>[]) =>
  events.findLast((event): event is Extract<Recorded<EnvironmentEvent>, { type: "ReleaseWentLive" }> => event.type === "ReleaseWentLive");

/**
 * Why a release is (or was) live: who asked, for what, how it was built and checked, and how it was brought live.
 *
 * @param environment the environment's events up to the time that is asked about
 * @param deployment the events of the deployment that was live then
 */
export const whyLive = (
  environment: readonly Recorded<EnvironmentEvent>[],
  deployment: readonly Recorded<DeploymentEvent>[],
): Because[] => {
  const live = liveAmong(environment);
  if (live === undefined) return [];
  const { sequence } = live.body;
  const flip = environment.filter(
    (event) =>
      (event.type === "FlipRequested" || event.type === "AliasFlipped" || event.type === "FlipHeld" || event.type === "EdgeSwitched") &&
      event.body.sequence === sequence,
  );
  return [...deployment.flatMap(ofDeployment), ...flip.flatMap(ofEnvironment), link(live, "live", factsOf(live), live.body.actor)]
    .sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : 0))
    .map(({ position: _, ...because }) => because);
};

type Link = Because & { position: string };

const link = (event: Recorded, what: string, detail: string, actor = event.actor): Link => ({
  what,
  detail,
  at: event.at,
  actor,
  event: event.id,
  position: event.position,
});

const ofDeployment = (event: Recorded<DeploymentEvent>): Link[] => {
  switch (event.type) {
    case "DeploymentQueued": {
      const { request, sequence } = event.body;
      const why = request.reason === undefined ? "" : `: ${request.reason}`;
      const asked = link(
        event,
        "asked for",
        `#${sequence} by ${request.trigger}${request.retryOf ? `, a retry of ${request.retryOf}` : ""}${why}`,
        request.requestedBy,
      );
      const { commit, source } = request;
      const named =
        commit === undefined
          ? []
          : [
              `commit ${commit.sha.slice(0, 12)}${commit.branch ? ` (${commit.branch})` : ""}${commit.dirty ? " with changes" : ""}`,
              commit.message ?? "",
              commit.author ? `by ${commit.author}` : "",
            ];
      const digest = source === null ? [] : [`source ${source.sha256.slice(0, 12)}`];
      return [asked, link(event, "source", [...named, ...digest].filter(Boolean).join(", "), request.requestedBy)];
    }
    default:
      return told(event);
  }
};

/** What an event is called in the answer, and what matters about it; nothing where it is no part of the answer. */
const told = (event: Recorded<DeploymentEvent | EnvironmentEvent>): Link[] => {
  const { why } = wording[event.type];
  return why === undefined ? [] : [link(event, why, factsOf(event))];
};

const ofEnvironment = (event: Recorded<EnvironmentEvent>): Link[] => {
  if (event.type !== "FlipRequested") return told(event);
  const { reason, actor } = event.body;
  return [link(event, reason === "deploy" ? "flip" : reason, factsOf(event), actor)];
};
