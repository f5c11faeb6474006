import { BUILD_GRACE_MS, DEADLINE_MS, NUDGE_MS } from "../../domain/deployment/limits.ts";
import { isForgotten } from "../../domain/environment/remembered.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { ageOf, isAhead } from "../../engine/kit/age.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import { newestOf, type ReadBack } from "../../engine/log/read-back.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { type Ports as SendingPorts, sendAgain } from "./send-again.ts";

export type Ports = SendingPorts & {
  readonly aggregates: Aggregates;
  /** every event of a stream, in order */
  events(stream: string): Promise<readonly Recorded[]>;
  readonly back: ReadBack;
  readonly builds: {
    get(ids: readonly string[]): Promise<BuildReport[]>;
    find(site: string, environment: string, deploymentId: string): Promise<BuildReport | undefined>;
    stop(id: string): Promise<void>;
  };
  /** tells watch-build of a build, as CodeBuild's own event would have */
  reportBuild(build: BuildReport): Promise<void>;
  /** when its build, which waits for room, is asked for again by itself; milliseconds since 1970 */
  askedAgainAt(deploymentId: string): Promise<number | undefined>;
  buildTimeoutMinutes(site: string, environment: string): number;
};

const MINUTE = 60_000;
/** A build that waits for room is asked for again well within this. */
const WAIT_MS = 5 * MINUTE;

const ACTOR = "shiplog reconcile";

/** Keeps one deployment from being stuck: asks what its build has come to, sends lost events again, ends what is over its time. */
export const reconcileDeployment =
  (ports: Ports) =>
  async (row: DeploymentView): Promise<void> => {
    const { aggregates, builds } = ports;
    const history = await ports.events(deploymentStream(row.id));
    // the row is only what was projected: where a message was lost, the stream knows better
    const view = foldRow("deployments", undefined, history) ?? row;
    await bringRow(ports, row, history);
    const age = ageOf(view.since, ports.now());
    const because = (suffix: string) => ({ cause: `reconcile/${view.id}/${view.status}/${suffix}`, correlation: view.id, actor: ACTOR });
    // what was looked at before may have gone on since: a flip that has begun is its environment's to end
    const fail = (step: NonNullable<DeploymentView["step"]>, reason: string) =>
      aggregates.deployment.execute(view.id, { type: "FailDeployment", step, reason, beforeFlip: true }, because("deadline"));

    switch (view.status) {
      case "queued":
        if (age > DEADLINE_MS.queued)
          await fail("queue", `no build began within two hours: ${view.reason ?? "its messages were lost"}; retry it`);
        else if (!waitsByItself(await ports.askedAgainAt(view.id), ports.now())) await again("DeploymentQueued", NUDGE_MS.queued);
        return;
      case "building":
        return building();
      case "cancelling":
        return cancelling();
      case "built":
        if (age > DEADLINE_MS.built)
          await fail("publish", "publishing did not begin within 100 minutes; see the dead letters with: shiplog events --dead-letters");
        else await again("BuildSucceeded", NUDGE_MS.built);
        return;
      case "deploying":
        if (view.release !== null) return flipping();
        if (age > DEADLINE_MS.deploying)
          await fail("publish", "publishing did not end within 100 minutes; see the dead letters with: shiplog events --dead-letters");
        else await again("BuildSucceeded", NUDGE_MS.deploying);
        return;
      case "held":
        return flipping();
      default:
        return;
    }

    /** Sends the last event of that kind again, where this step is late by it. */
    async function again(type: string, first: number): Promise<void> {
      const event = history.findLast((event) => event.type === type);
      if (event !== undefined) await sendAgain(ports, view.since, first, [event]);
    }

    async function building(): Promise<void> {
      const [build] = view.buildId === null ? [] : await builds.get([view.buildId]);
      if (build !== undefined && build.status !== "IN_PROGRESS") return ports.reportBuild(build);
      const gone = build === undefined && isAhead(view.since, ports.now());
      if (!gone && age < ports.buildTimeoutMinutes(view.site, view.environment) * MINUTE + BUILD_GRACE_MS) return;
      if (build !== undefined) await builds.stop(build.id);
      await fail(
        "build",
        build === undefined ? "its build does not exist any more" : "its build went on beyond its time limit and was stopped",
      );
    }

    async function cancelling(): Promise<void> {
      if (age < NUDGE_MS.cancelling && view.buildId === null) return;
      const build = view.buildId === null ? await builds.find(view.site, view.environment, view.id) : (await builds.get([view.buildId]))[0];
      if (build === undefined) {
        const reason = "cancelled; no build of it exists";
        await aggregates.deployment.execute(view.id, { type: "RecordBuildStopped", buildId: view.buildId, reason }, because("none"));
      } else if (build.status !== "IN_PROGRESS") await ports.reportBuild(build);
      else if (age > NUDGE_MS.cancelling) await builds.stop(build.id);
    }

    /** Its checks passed; now the environment says how it goes on, and whether it has said so already. */
    async function flipping(): Promise<void> {
      if (age < NUDGE_MS.built) return;
      const { state } = await aggregates.environment.load(view.site, view.environment);
      const isOpen = [...state.open.values()].some((flip) => flip.deploymentId === view.id);
      if (isOpen || (view.status === "held" && state.waiting?.deploymentId === view.id)) return;
      // one that the environment has forgotten has not been told of: it asks, and hears that it is history
      if (!state.pending.has(view.id) && ((await tellAgain(ports, view)) || !isForgotten(state, view.sequence))) return;
      if (age > DEADLINE_MS.deploying) await fail("flip", "its flip was never requested; retry it");
      else await again("ChecksPassed", NUDGE_MS.built);
    }
  };

/** Events that never reached the row: the newest brings it all of them. */
const bringRow = async (ports: Ports, { version }: DeploymentView, history: readonly Recorded[]): Promise<void> => {
  const newest = history.at(-1);
  if (newest === undefined || newest.version <= version) return;
  const last = history.filter((event) => event.version === newest.version);
  await sendAgain(ports, newest.at, NUDGE_MS.row, last);
};

/** It is asked for again in a moment. What is due longer ago or ahead was lost, or dated by a clock that was wrong. */
const waitsByItself = (due: number | undefined, now: number): boolean => due !== undefined && Math.abs(due - now) < WAIT_MS;

/** Its flip is held or has ended, and it was never told: that message was lost or given up. What the environment says counts. */
const tellAgain = async (ports: Ports, { id, site, environment, since }: DeploymentView): Promise<boolean> => {
  const told = await newestOf(
    ports.back(environmentStream(site, environment)),
    (event): event is Recorded => tellsOfFlip(event, id),
    (event) => admits(event, id),
  );
  if (told !== undefined) await sendAgain(ports, since, NUDGE_MS.built, [told]);
  return told !== undefined;
};

/** Whether an environment's event says how the flip of a deployment goes on; a rollback to it concerns its deployment no more. */
const tellsOfFlip = ({ type, body }: Recorded, deploymentId: string): boolean => {
  const { deploymentId: of, reason, flip } = body as { deploymentId?: string; reason?: string; flip?: string };
  if (of !== deploymentId) return false;
  if (type === "FlipHeld") return true;
  if (type === "FlipFailed") return flip === "deploy";
  return (type === "ReleaseWentLive" || type === "FlipSuperseded") && reason === "deploy";
};

/** Nothing is said of a deployment before that. */
const admits = ({ type, body }: Recorded, deploymentId: string): boolean =>
  type === "DeploymentAdmitted" && (body as { deploymentId?: string }).deploymentId === deploymentId;
