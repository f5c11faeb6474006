import { liveKey } from "../../../blueprint/edge-table.ts";
import { hasEnded } from "../../../domain/deployment/decider.ts";
import type { Recorded } from "../../../domain/kernel/event.ts";
import type { Build } from "../aws/builds.ts";
import type { Cloud } from "../aws/cloud.ts";
import { BREAKS } from "../aws/lambda.ts";
import type { Ledger } from "../ledger.ts";

type Body = {
  readonly deploymentId: string;
  readonly actor: string;
  readonly reason: string;
  readonly step: string;
  readonly distribution: string;
  readonly found: string | null;
  readonly by: { readonly sequence: number; readonly deploymentId?: string };
  readonly release: { readonly functions: Functions };
  readonly functions: Functions;
};
type Functions = readonly { readonly name: string; readonly version: string }[];

/** What the rules of deployments and environments promise, at each event before it counts. */
export const checkRules = (cloud: Cloud, ledger: Ledger, event: Recorded): void => {
  const { world } = cloud;
  const body = event.body as Body;
  switch (event.type) {
    case "FlipRequested":
      if (body.reason === "deploy") flipAllowed();
      return;
    case "CancelRequested":
    case "DeploymentCancelled":
      if (course().flipping) world.violate(`${event.stream} is cancelled (${event.type}) while it goes live`);
      return;
    case "DeploymentSuperseded":
      // a newer request takes the place of what waits; a build that runs goes on
      if (body.by.deploymentId !== undefined && course().status !== "queued")
        world.violate(`${event.stream} is superseded by the request ${body.by.deploymentId}, though it is ${course().status}`);
      return;
    case "VersionsPublished":
      versionsPublished();
      return;
    case "ChecksPassed":
      checksPassed();
      return;
    case "EdgeDriftDetected":
      if (!cloud.edgeTable.wasHands(liveKey(body.distribution), body.found ?? undefined))
        world.violate(`${event.stream}: what no hand wrote in the edge's table is called drift: ${body.found}`);
      return;
    case "ReleaseEnded":
      releaseEnded();
      return;
    case "DeploymentFailed":
      if (body.step === "build") buildFailed();
      return;
  }

  /** What names a release reaches it until its window is over, whatever its age, unless a person cuts it off. */
  function releaseEnded(): void {
    const { state } = ledger.placeOf(event.stream);
    const { reason, release } = event.body as { readonly reason: string; readonly release: string };
    if (state.edge?.route.release === release) world.violate(`${event.stream}: ${release} has ended, and it is live`);
    const until = state.routes.get(release)?.until ?? null;
    // whether its time is over was asked of a clock that may have jumped since
    if (reason === "window" && world.faults.counts["clock-jump"] === 0 && (until === null || until > event.at))
      world.violate(`${event.stream}: ${release} has ended, and what names it reaches it until ${until ?? "something else is live"}`);
  }

  function course() {
    return ledger.courseOf(event.stream).state;
  }

  function flipAllowed(): void {
    const { state } = ledger.placeOf(event.stream);
    if (state.pinned) world.violate(`${body.deploymentId} goes live by itself in ${event.stream}, which is pinned`);
    // whether a lock is over was asked of a clock that may have jumped since
    if (state.lock === null || state.lock.holder === body.actor || world.faults.counts["clock-jump"] > 0) return;
    if (state.lock.until === null || state.lock.until > event.at)
      world.violate(`${body.deploymentId} of ${body.actor} goes live by itself in ${event.stream}, which ${state.lock.holder} has locked`);
  }

  /** Lambda runs a version that is Pending for nobody, and one that has failed never. */
  function versionsPublished(): void {
    for (const { name, version } of body.functions) {
      const state = cloud.lambda.functions.get(name)?.versions.get(version)?.state;
      if (state !== "Active") world.violate(`${event.stream} has published version ${version} of ${name}, which is ${state}`);
    }
  }

  function checksPassed(): void {
    for (const { name, version } of body.release.functions)
      if (cloud.lambda.functions.get(name)?.versions.get(version)?.code.includes(BREAKS))
        world.violate(`${event.stream} passed its checks, and version ${version} of ${name} breaks`);
  }

  function buildFailed(): void {
    // there may be another, of a start whose answer was lost for longer than CodeBuild remembers its token
    const build = cloud.builds.all.get(course().buildId ?? "");
    // who says so may have asked before it ended
    if (build?.status === "SUCCEEDED" && build.endedAt < (world.acting()?.began ?? 0))
      world.violate(`${event.stream} says that its build failed (${body.reason}), and it succeeded`);
  }
};

/** A build is started for what waits for it; whoever starts it may have read before it ended. */
export const checkBuildStarted = ({ world }: Cloud, ledger: Ledger, { id, deploymentId }: Build): void => {
  const course = ledger.courseOf(`deployment/${deploymentId}`);
  const began = world.acting()?.began ?? 0;
  if (course.endedAt < began && hasEnded(course.state))
    world.violate(`build ${id} was started for ${deploymentId}, which was ${course.state.status} before its starter began`);
};

/** At rest: no lock is left whose time is over. */
export const checkLocks = ({ world }: Cloud, ledger: Ledger): void => {
  const now = new Date(world.now() - 60_000).toISOString();
  for (const [stream, { state }] of ledger.places)
    if (state.lock?.until && state.lock.until < now) world.violate(`${stream} is locked, though the lock was over at ${state.lock.until}`);
};
