import { consumers } from "../../../blueprint/topology.ts";
import { hasEnded } from "../../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../../domain/deployment/events.ts";
import { readEnvironmentEvent } from "../../../domain/environment/events.ts";
import { deploymentStream, siteOf } from "../../../domain/kernel/identity.ts";
import { projectDeployment } from "../../../domain/projections/deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "../../../domain/projections/environment-view.ts";
import type { DeploymentView } from "../../../domain/projections/views.ts";
import type { WebhookView } from "../../../domain/projections/webhook-view.ts";
import { projectWebhook } from "../../../domain/projections/webhook-view.ts";
import { readWebhookEvent } from "../../../domain/webhook/events.ts";
import { eventsOf } from "../../../engine/log/codec.ts";
import type { Cloud } from "../aws/cloud.ts";
import { isWeighted } from "../aws/lambda.ts";
import type { Ledger, Place } from "../ledger.ts";
import type { Aliases } from "./aliases.ts";
import { checkEdge } from "./edge.ts";

/** At any time: what is noted to be on the bus is there, every event of it. */
export const checkRelayed = ({ world, events, rows, bus }: Cloud): void => {
  for (const [stream, stored] of events.streams)
    for (const { commit } of stored.slice(0, rows.relayed.get(stream) ?? 0))
      for (const { id, type } of eventsOf(commit))
        if (!bus.published.has(id)) world.violate(`${type} of ${stream}@${commit.version} is noted to be on the bus, and is not`);
};

/** At any time: each row is the fold of its stream, as far as it says that it has read. */
export const checkRows = ({ world, events, rows }: Cloud): void => {
  for (const [stream, stored] of events.streams) {
    const [kind, ...rest] = stream.split("/");
    const table = kind === "deployment" ? rows.deployments : kind === "webhook" ? rows.webhooks : rows.environments;
    const row = table.get(rest.join("/"));
    if (row === undefined) continue;
    const read = stored.slice(0, row.version).flatMap(({ commit }) => eventsOf(commit));
    if (row.text !== JSON.stringify(foldOf(stream, read)))
      world.violate(`the row of ${stream} is not the fold of its ${row.version} commits`);
  }
};

const foldOf = (stream: string, events: ReturnType<typeof eventsOf>): unknown => {
  if (stream.startsWith("deployment/")) {
    let view: DeploymentView | undefined;
    for (const event of events) view = projectDeployment(view, { ...event, ...readDeploymentEvent(event) });
    return view;
  }
  if (stream.startsWith("webhook/")) {
    let view: WebhookView | undefined;
    for (const event of events) view = projectWebhook(view, { ...event, ...readWebhookEvent(event) });
    return view;
  }
  const { site, environment } = siteOf(stream);
  let view = emptyEnvironment(site, environment);
  for (const event of events) view = projectEnvironment(view, { ...event, ...readEnvironmentEvent(event) });
  return view;
};

/** Once nothing goes wrong any more and everything has come to rest. */
export const checkQuiet = (cloud: Cloud, ledger: Ledger, aliases: Aliases): void => {
  const { world, events, rows, builds } = cloud;
  for (const [stream, stored] of events.streams) {
    const [kind, ...rest] = stream.split("/");
    const table = kind === "deployment" ? rows.deployments : kind === "webhook" ? rows.webhooks : rows.environments;
    const version = table.get(rest.join("/"))?.version;
    if (version !== stored.length) world.violate(`the row of ${stream} is at ${version ?? "nothing"} of ${stored.length}`);
    if ((rows.relayed.get(stream) ?? 0) < stored.length)
      world.violate(`${stream} was relayed up to ${rows.relayed.get(stream) ?? 0} of ${stored.length}`);
  }
  for (const [stream, { state }] of ledger.courses) {
    const place = state.request === null ? undefined : ledger.placeOf(`environment/${state.request.site}/${state.request.environment}`);
    const waits = state.status === "held" && (place?.state.pinned === true || place?.state.lock !== null);
    if (!hasEnded(state) && !waits) world.violate(`${stream} never ended: it is ${state.status}`);
  }
  for (const [stream, place] of ledger.places) checkPlace(stream, place);
  for (const build of builds.all.values()) if (build.status === "IN_PROGRESS") world.violate(`build ${build.id} never ended`);

  function checkPlace(stream: string, place: Place): void {
    const { state } = place;
    if (state.pinnedBy !== null && !place.went.has(state.pinnedBy))
      world.violate(`${stream} is pinned by rollback ${state.pinnedBy}, which never went live`);
    checkDrift(stream, place);
    checkEdge(cloud, stream, place);
    if (state.open.size > 0) world.violate(`${stream}: flips ${[...state.open.keys()].join(", ")} never ended`);
    for (const id of place.admitted.keys())
      if (ledger.courseOf(deploymentStream(id)).state.request === null) world.violate(`${id} was admitted and never queued`);
    const moved: string[] = [];
    for (const [name, alias] of aliases.seen) {
      // a hand may have wiped out what the engine had not written down yet
      if (alias.stream !== stream || alias.everEdited) continue;
      for (const sequence of alias.moves.keys()) moved.push(`${name} ${sequence}`);
      if (!alias.edited && alias.moves.size > 0 && alias.highest < (state.live?.sequence ?? 0))
        world.violate(`the alias of ${name} is at ${alias.highest}, and ${state.live?.sequence} is live`);
      const live = state.live === null ? undefined : state.everLive.get(state.live.deploymentId);
      const wanted = live?.release.functions.find((fn) => fn.name === name);
      const found = cloud.lambda.functions.get(name)?.alias;
      // a restore that fails, because of a hand or of a version that is gone, is not tried for ever
      const restoring = [...place.flips].some(([sequence, { reason }]) => reason === "restore" && sequence > (state.live?.sequence ?? 0));
      if (!alias.edited && !restoring && wanted !== undefined && found?.version !== wanted.version)
        world.violate(`the alias of ${name} points to ${found?.version}, and what is live has ${wanted.version}`);
    }
    const written = place.flipped.filter((move) => !aliases.of(move.split(" ")[0] ?? "").everEdited).sort();
    if (moved.sort().join() !== written.join())
      world.violate(`${stream}: the aliases were moved ${moved.join(", ")}; the log has ${written.join(", ")}`);
    const reached = Math.max(0, ...[...place.flips.keys()].filter((sequence) => state.live !== null && sequence <= state.live.sequence));
    if (state.live !== null && reached !== state.live.sequence) world.violate(`${stream}: ${state.live.sequence} is live without a flip`);
  }

  /** What a hand did to an alias is seen, and what is right is not called drift. */
  function checkDrift(stream: string, { state }: Place): void {
    for (const [name, expected] of state.aliases) {
      const found = cloud.lambda.functions.get(name)?.alias;
      const isRight =
        found !== undefined &&
        found.version === expected.version &&
        !isWeighted(found) &&
        found.description.startsWith(`seq=${expected.sequence} dep=`);
      if (isRight === state.drift.has(name))
        world.violate(
          `${stream}: the alias of ${name} is ${JSON.stringify(found)}, ${JSON.stringify(expected)} is expected, and ${isRight ? "it is called drift" : "nobody saw it"}`,
        );
    }
  }
};

/**
 * Where nothing went wrong, nothing failed, and the reconciler had nothing to do.
 *
 * @param heard what people were told of faults of the engine
 */
export const checkNothingFailed = ({ world, bus }: Cloud, ledger: Ledger, heard: readonly string[]): void => {
  for (const what of heard) world.violate(`somebody was told of a fault, and nothing had gone wrong: ${what}`);
  for (const what of bus.again) world.violate(`the reconciler had to send ${what}, and nothing had gone wrong`);
  for (const [stream, { state }] of ledger.courses)
    if (state.status === "failed") world.violate(`${stream} failed, and nothing had gone wrong`);
};

/** Where at most one service was away for a while, nobody gave a message up, nor what it was to do. */
export const checkNothingGivenUp = ({ world, queues }: Cloud): void => {
  for (const { name } of consumers)
    for (const { reason, about } of queues.deadLetters(name)) world.violate(`${name} gave ${about?.type ?? "a message"} up: ${reason}`);
};
