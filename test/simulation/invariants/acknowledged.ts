import { hasEnded } from "../../../domain/deployment/decider.ts";
import { deploymentStream } from "../../../domain/kernel/identity.ts";
import type { Cloud } from "../aws/cloud.ts";
import type { Message } from "../aws/queues.ts";
import type { Ledger } from "../ledger.ts";

type Body = {
  readonly sequence: number;
  readonly deploymentId: string;
  readonly reason: string;
  readonly flip: string;
  readonly previous: string | null;
};

/** Whether it waits as a row for a time of its own, or was brought from there into its queue again. */
const waits = ({ rows, queues }: Cloud, consumer: string, message: Message): boolean => {
  const nameOf = (body: string): string => {
    try {
      const { delivery, detail } = JSON.parse(body) as { delivery?: string; detail?: { stream?: string } };
      return delivery ?? detail?.stream ?? body;
    } catch {
      // nobody can read it
      return body;
    }
  };
  if (consumer !== "deliver" && consumer !== "start-build") return false;
  const name = nameOf(message.body);
  return [...rows.waiting.values(), ...queues.waiting().filter((one) => one !== message && one.queue === consumer)].some(
    (one) => nameOf(one.body) === name,
  );
};

/** A message is taken away after its effect, or it is among the dead letters with a reason: none vanish. */
export const checkAcknowledged = (cloud: Cloud, ledger: Ledger, consumer: string, message: Message): void => {
  const { queues, rows, builds, world } = cloud;
  if (queues.isKept(consumer, message) || waits(cloud, consumer, message)) return;
  const missing = effectMissing();
  if (missing !== undefined)
    world.violate(`${consumer} took ${message.about?.type ?? "a message"} of ${message.about?.stream ?? "nothing"} away: ${missing}`);

  function effectMissing(): string | undefined {
    const { about } = message;
    if (consumer === "deliver") {
      const { delivery, attempt } = JSON.parse(message.body) as { delivery: string; attempt: number };
      const row = JSON.parse(rows.deliveries.get(delivery)?.delivery ?? "{}") as { attempts?: number; status?: string };
      return (row.attempts ?? 0) >= attempt || row.status !== "pending" ? undefined : "nothing was tried";
    }
    if (consumer === "watch-build") return watched();
    // what it leaves undone the next one does (invariants/sweeps.ts)
    if (consumer === "sweep") return undefined;
    if (about === undefined) return "it is no event of the engine, and nobody put it aside";
    const { stream, version, type } = about;
    if (consumer === "project") {
      const [kind, ...rest] = stream.split("/");
      const table = kind === "deployment" ? rows.deployments : kind === "webhook" ? rows.webhooks : rows.environments;
      return (table.get(rest.join("/"))?.version ?? 0) >= version ? undefined : "its row is older";
    }
    const { detail } = JSON.parse(message.body) as { detail: { body: Body } };
    const course = ledger.courseOf(stream);
    const place = ledger.placeOf(stream);
    const ended = () => hasEnded(ledger.courseOf(deploymentStream(detail.body.deploymentId)).state);
    switch (`${consumer} ${type}`) {
      case "start-build DeploymentQueued":
        return course.state.status === "queued" || (course.state.status === "cancelling" && course.state.buildId === null)
          ? "no build was started"
          : undefined;
      case "stop-build CancelRequested":
      case "stop-build BuildStarted": {
        // the other of the two comes later and does it
        if (course.state.status !== "cancelling" || Math.max(course.buildKnownAt, course.cancelledAt) > version) return undefined;
        const build = builds.all.get(course.state.buildId ?? "");
        return build === undefined || build.stopping || build.status !== "IN_PROGRESS" ? undefined : "its build was not stopped";
      }
      case "publish-release BuildSucceeded":
        return course.state.status === "built" || (course.state.status === "deploying" && !course.state.checked)
          ? "nothing was published"
          : undefined;
      case "flip-alias FlipRequested":
        return place.state.open.has(detail.body.sequence) ? "the flip has not ended" : undefined;
      case "advance DeploymentAdmitted": {
        if (ledger.courseOf(deploymentStream(detail.body.deploymentId)).state.request === null) return "the deployment was not queued";
        const before = ledger.courseOf(deploymentStream(detail.body.previous ?? ""));
        // what was queued after this had begun it could not see
        return before.state.status === "queued" && before.queuedAt < message.takenAt
          ? "the deployment before it waits for its build still"
          : undefined;
      }
      case "advance DeploymentCancelled":
      case "advance DeploymentFailed": {
        const { request } = course.state;
        const of = request === null ? undefined : ledger.placeOf(`environment/${request.site}/${request.environment}`).state;
        return of?.waiting?.deploymentId === stream.slice("deployment/".length) ? "its flip waits still" : undefined;
      }
      case "advance ChecksPassed": {
        const { state } = course;
        const asked =
          state.request === null ? undefined : ledger.placeOf(`environment/${state.request.site}/${state.request.environment}`).state;
        return hasEnded(state) || !asked?.pending.has(stream.slice("deployment/".length)) ? undefined : "its flip was not asked for";
      }
      case "advance FlipSuperseded":
      case "advance ReleaseWentLive":
        return detail.body.reason !== "deploy" || ended() ? undefined : "its deployment goes on";
      case "advance FlipFailed":
        return detail.body.flip !== "deploy" || ended() ? undefined : "its deployment goes on";
      default:
        return undefined;
    }
  }

  function watched(): string | undefined {
    const said = JSON.parse(message.body) as { detail?: { "build-id"?: string; "build-status"?: string } };
    const arn = said.detail?.["build-id"] ?? "";
    const build = builds.all.get(arn.slice(arn.indexOf(":build/") + ":build/".length));
    if (build === undefined) return "it is about no build, and nobody put it aside";
    const { state } = ledger.courseOf(deploymentStream(build.deploymentId));
    if (state.buildId !== null && state.buildId !== build.id) return undefined;
    const waits = state.status === "queued" || state.status === "building" || state.status === "cancelling";
    return waits && said.detail?.["build-status"] !== "IN_PROGRESS" ? "the end of its build was not written down" : undefined;
  }
};
