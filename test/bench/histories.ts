import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { deployment } from "../../domain/deployment/decider.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { isRefusal } from "../../domain/kernel/decider.ts";
import { artifact, assets, at, check, deploymentId, functions, release, request } from "../support/samples.ts";

/** What one ordinary deployment leaves in its stream, asked for by the commands that consumers give. */
export const deploymentHistory = (n: number): DeploymentEvent[] => {
  const state = deployment.initial();
  const events: DeploymentEvent[] = [];
  const commands: readonly DeploymentCommand[] = [
    { type: "QueueDeployment", sequence: n, request: request(n) },
    { type: "RecordBuildStarted", buildId: `shiplog-web:${n}`, logs: `/aws/codebuild/shiplog-web:${n}` },
    { type: "RecordBuildSucceeded", buildId: `shiplog-web:${n}`, artifact: artifact(n), exported: { NEXT_VERSION: "16.4.4" } },
    { type: "StartRelease", releaseId: deploymentId(n) },
    { type: "RecordAssets", ...assets },
    { type: "RecordVersions", functions: functions(n) },
    { type: "RecordChecksPassed", release: release(n), checks: [check(n)] },
    { type: "StartFlip", sequence: n },
    { type: "SucceedDeployment", sequence: n },
  ];
  for (const command of commands) {
    const outcome = deployment.decide(command, state);
    if (isRefusal(outcome) || outcome.length === 0) throw new Error(`${command.type} did not lead to an event`);
    for (const event of outcome) {
      deployment.evolve(state, event);
      events.push(event);
    }
  }
  return events;
};

/** The first `length` events of an environment that is deployed to again and again, and rolled back now and then. */
export const environmentHistory = (length: number): EnvironmentEvent[] => {
  const state = environment.initial();
  const events: EnvironmentEvent[] = [];
  const ask = (command: EnvironmentCommand): void => {
    const outcome = environment.decide(command, state);
    if (isRefusal(outcome)) throw new Error(`${command.type} was refused: ${outcome.because}`);
    for (const event of outcome) {
      environment.evolve(state, event);
      events.push(event);
    }
  };
  const goLive = (n: number, sequence: number): void => {
    for (const published of functions(n))
      ask({
        type: "RecordAliasFlipped",
        sequence,
        deploymentId: deploymentId(n),
        function: published.name,
        from: String(n - 1),
        to: published.version,
        revisionId: `revision-${sequence}-${published.role}`,
      });
    ask({ type: "RecordWentLive", sequence });
  };
  for (let n = 1; events.length < length; n++) {
    const asked = { actor: "ada", at: at() };
    ask({ type: "AdmitDeployment", request: request(n), ...asked });
    ask({ type: "RequestFlip", deploymentId: deploymentId(n), sequence: state.sequence, release: release(n), ...asked });
    goLive(n, state.sequence);
    if (n % 10 !== 0) continue;
    ask({ type: "RequestRollback", ...asked });
    goLive(n - 1, state.sequence);
    ask({ type: "UnpinEnvironment", reason: "repaired", ...asked });
  }
  return events.slice(0, length);
};
