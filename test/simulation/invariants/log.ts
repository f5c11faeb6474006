import type { PublishedFunction } from "../../../domain/deployment/shapes.ts";
import { commitHash, commitId } from "../../../domain/kernel/chain.ts";
import type { Recorded } from "../../../domain/kernel/event.ts";
import { deploymentOf, deploymentStream } from "../../../domain/kernel/identity.ts";
import { eventsOf, sha256 } from "../../../engine/log/codec.ts";
import { type Cloud, holdsSecret } from "../aws/cloud.ts";
import type { Stored } from "../aws/event-table.ts";
import type { Ledger } from "../ledger.ts";
import { type Aliases, checkRecorded } from "./aliases.ts";
import { checkRules } from "./rules.ts";
import type { SweepWatch } from "./sweeps.ts";

const ENDS = new Set(["DeploymentSucceeded", "DeploymentFailed", "DeploymentCancelled", "DeploymentSuperseded"]);
type Body = {
  readonly sequence: number;
  readonly by: number;
  readonly deploymentId: string;
  readonly reason: string;
  readonly unproven?: string;
  readonly function: string;
  readonly to: string;
  readonly release: { readonly functions: readonly PublishedFunction[] };
};

/** Invariants of the log, at each commit: the chain, one decision a cause, and that every event tells the truth. */
export const checkCommit = (cloud: Cloud, ledger: Ledger, aliases: Aliases, stored: Stored, sweeps: SweepWatch): void => {
  const { world } = cloud;
  const { commit } = stored;
  const before = cloud.events.of(commit.stream).at(-2)?.commit;
  if (commit.version !== (before?.version ?? 0) + 1)
    world.violate(`${commit.stream} goes from version ${before?.version} to ${commit.version}`);
  if (
    commit.prev !== (before?.hash ?? "") ||
    commit.hash !== commitHash(sha256, commit) ||
    commit.id !== commitId(sha256, commit.stream, commit.cause)
  )
    world.violate(`the chain of ${commit.stream} is broken at ${commit.version}`);
  if (before !== undefined && commit.position <= before.position)
    world.violate(`the position of ${commit.stream}@${commit.version} does not rise`);
  if (!ledger.isFirst(stored)) world.violate(`${commit.stream} has two decisions of ${commit.cause}`);
  if (holdsSecret(commit.body)) world.violate(`${commit.stream}@${commit.version} holds a secret`);
  // a rollback takes the place of what waits in the commit that gives its sequence
  const given = Math.max(0, ...eventsOf(commit).flatMap(({ type, body }) => (type === "FlipRequested" ? (body as Body).sequence : [])));
  ledger.take(stored, (event) => {
    checkEvent(cloud, ledger, aliases, event, given);
    checkRules(cloud, ledger, event);
    sweeps.look(event);
  });
};

/** @param given the highest sequence that this commit gives */
const checkEvent = (cloud: Cloud, ledger: Ledger, aliases: Aliases, event: Recorded, given: number): void => {
  const { world } = cloud;
  const body = event.body as Body;
  if (ENDS.has(event.type)) ended();
  switch (event.type) {
    case "DeploymentAdmitted":
      if (body.sequence <= ledger.placeOf(event.stream).highest)
        world.violate(`${body.deploymentId} was admitted with sequence ${body.sequence}, which was given before`);
      return;
    case "ChecksPassed":
      for (const released of body.release.functions) {
        const version = cloud.lambda.functions.get(released.name)?.versions.get(released.version);
        if (version === undefined) world.violate(`${event.stream} says that it has version ${released.version} of ${released.name}`);
        else checkRecorded(world, cloud.settings, version, released);
      }
      return;
    case "FlipRequested":
      flipRequested();
      return;
    case "FlipFailed":
      flipFailed();
      return;
    case "FlipSuperseded":
      if (body.by > Math.max(given, ledger.placeOf(event.stream).highest))
        world.violate(`${body.deploymentId} was superseded by sequence ${body.by}, which nobody gave`);
      return;
    case "AliasFlipped":
      if (!ledger.placeOf(event.stream).flips.has(body.sequence))
        world.violate(`AliasFlipped says that sequence ${body.sequence} moved ${body.function}, and no flip had it`);
      // who edits an alias by hand and leaves its description makes the log say what it says
      if (!aliases.of(body.function).everEdited && aliases.of(body.function).moves.get(body.sequence) !== body.to)
        world.violate(`AliasFlipped says that ${body.function} was moved to ${body.to} by sequence ${body.sequence}, and it was not`);
      return;
    case "ReleaseWentLive":
      wentLive();
      return;
  }

  function ended(): void {
    const course = ledger.courseOf(event.stream);
    course.ends += 1;
    if (course.ends > 1) world.violate(`${event.stream} ended twice, the second time by ${event.type}`);
    const build = course.state.buildId === null ? undefined : cloud.builds.all.get(course.state.buildId);
    if (event.type === "DeploymentCancelled" && build?.status === "IN_PROGRESS")
      world.violate(`${event.stream} says that it is cancelled while its build ${build.id} goes on`);
    if (event.type === "DeploymentSucceeded" && !isLiveSomewhere())
      world.violate(`${event.stream} says that it succeeded, and it never went live`);
    if (event.type === "DeploymentFailed" && wentLiveByItself())
      world.violate(`${event.stream} says that it failed (${body.reason}), and it went live`);
  }

  function wentLiveByItself(): boolean {
    const id = deploymentOf(event.stream);
    return [...ledger.places.values()].some(({ deployed }) => deployed.has(id));
  }

  function isLiveSomewhere(): boolean {
    const id = deploymentOf(event.stream);
    for (const { state } of ledger.places.values()) if (state.everLive.has(id)) return true;
    return false;
  }

  function flipRequested(): void {
    const place = ledger.placeOf(event.stream);
    const admittedAt = place.admitted.get(body.deploymentId) ?? 0;
    const flips = [...place.flips.keys()];
    if (flips.some((sequence) => sequence >= body.sequence))
      world.violate(`a flip to ${body.deploymentId} was asked for with sequence ${body.sequence}, after ${Math.max(...flips)}`);
    if (body.reason === "deploy" && admittedAt < place.chosen)
      world.violate(`${body.deploymentId} goes live by itself, although something newer was chosen`);
    if (body.reason === "rollback" && !place.state.everLive.has(body.deploymentId))
      world.violate(`a rollback goes to ${body.deploymentId}, which was never live`);
    if (!ledger.courseOf(deploymentStream(body.deploymentId)).state.checked)
      world.violate(`a flip to ${body.deploymentId} was asked for before its checks passed`);
  }

  /** What it moved before whoever says so had begun, somebody has found and written down by now. */
  function flipFailed(): void {
    const { flipped } = ledger.placeOf(event.stream);
    const began = world.acting()?.began ?? 0;
    for (const [name, alias] of aliases.seen) {
      const movedAt = alias.movedAt.get(body.sequence);
      if (alias.stream !== event.stream || alias.everEdited || movedAt === undefined || movedAt >= began) continue;
      if (!flipped.includes(`${name} ${body.sequence}`))
        world.violate(`flip ${body.sequence} failed, and the log does not say that it had moved the alias of ${name}`);
    }
  }

  function wentLive(): void {
    for (const { name, version } of body.release.functions) {
      const alias = aliases.of(name);
      if (alias.edited) continue;
      if (alias.moves.get(body.sequence) !== version)
        world.violate(`ReleaseWentLive ${body.sequence}: the alias of ${name} was never moved to its version ${version}`);
      else if (body.unproven !== undefined && alias.read.has(body.sequence)) continue;
      else if (!alias.answered.has(body.sequence))
        world.violate(`ReleaseWentLive ${body.sequence}: nobody saw version ${version} answer through the alias of ${name}`);
    }
  }
};
