import { ulid } from "ulid";
import type { DeploymentCommand } from "../../../domain/deployment/commands.ts";
import { type Deployment, deployment } from "../../../domain/deployment/decider.ts";
import type { DeploymentEvent } from "../../../domain/deployment/events.ts";
import type { Release, Request } from "../../../domain/deployment/shapes.ts";
import type { EnvironmentCommand } from "../../../domain/environment/commands.ts";
import type { EnvironmentEvent } from "../../../domain/environment/events.ts";
import type { Environment } from "../../../domain/environment/state.ts";
import { deploymentStream } from "../../../domain/kernel/identity.ts";
import { type Actor, actor, type Because, type Stage, type Story } from "../long-history.ts";

export type Attempt = Actor<DeploymentCommand, Deployment, DeploymentEvent>;
export type Place = {
  readonly site: string;
  readonly name: string;
  readonly of: Actor<EnvironmentCommand, Environment, EnvironmentEvent>;
  /** deployments that have not ended */
  readonly running: Map<string, Attempt>;
  released: number;
};

const ENGINE = "shiplog";
const WORDS = ["checkout", "search", "header", "prices", "login", "images", "cart", "faster", "fix", "add", "remove", "translate"];

/** One deployment from its request to its end, one step at a time, with what goes wrong now and then. */
export function* attempt(stage: Stage, here: Place, by: Because): Story {
  const { random, ask } = stage;
  const request = requestOf(stage, here, by.actor);
  const id = request.deploymentId;
  const it: Attempt = actor(deploymentStream(id), deployment);
  const engine: Because = { actor: ENGINE, correlation: by.correlation };
  const at = (): string => new Date(stage.now()).toISOString();
  const step = (command: DeploymentCommand, because = engine): readonly DeploymentEvent[] => ask(it, command, because);

  const [admitted] = ask(here.of, { type: "AdmitDeployment", request, actor: by.actor, at: at() }, by);
  if (admitted?.type !== "DeploymentAdmitted") return; // somebody else has locked it
  const { sequence } = admitted.body;
  yield;
  step({ type: "QueueDeployment", sequence, request });
  for (const other of here.running.values())
    ask(other, { type: "SupersedeDeployment", by: { sequence, deploymentId: id }, onlyQueued: true }, engine);
  here.running.set(id, it);
  yield;
  const buildId = `shiplog-${here.site}:${random.int(2 ** 31).toString(16)}`;
  step({ type: "RecordBuildStarted", buildId, logs: `/aws/codebuild/${buildId}` });
  yield;
  if (random.chance(0.05)) {
    step({ type: "RequestCancel", reason: "the wrong branch" }, by);
    yield;
    step({ type: "RecordBuildStopped", buildId, reason: "cancelled: the wrong branch" });
    return end();
  }
  if (random.chance(0.08)) {
    step({ type: "RecordBuildFailed", buildId, status: "FAILED", phase: "BUILD", reason: "npm run build ended with exit code 1" });
    return end();
  }
  const artifact = { bucket: "shiplog-artifacts", key: `builds/${id}/output.zip`, sha256: hex(stage, 64) };
  step({ type: "RecordBuildSucceeded", buildId, artifact, exported: { NEXT_VERSION: "16.4.4", NODE_VERSION: "24.21.0" } });
  yield;
  step({ type: "StartRelease", releaseId: id, warnings: random.chance(0.1) ? ["no image optimisation"] : [] });
  yield;
  const release = releaseOf(stage, here, id);
  step({
    type: "RecordAssets",
    uploaded: random.int(60),
    unchanged: random.int(300),
    bytes: random.int(9_000_000),
    cacheEntries: random.int(90),
    tags: random.int(40),
    manifest: release.manifest,
  });
  yield;
  step({ type: "RecordVersions", functions: release.functions });
  yield;
  const checks = release.functions.map(({ role, name, version }) => ({
    role,
    function: name,
    version,
    path: "/",
    status: 200,
    ms: 20 + random.int(400),
  }));
  if (random.chance(0.05)) {
    step({
      type: "RecordChecksFailed",
      checks: checks.map((check) => ({ ...check, status: 500 })),
      reason: "the server answered 500 for /",
    });
    return end();
  }
  step({ type: "RecordChecksPassed", release, checks });
  yield;
  const asked = ask(here.of, { type: "RequestFlip", deploymentId: id, sequence, release, actor: by.actor, at: at() }, engine);
  yield* settle(stage, here, asked, engine);
  return end();

  function end(): void {
    if (it.state.status !== "held") here.running.delete(id);
  }
}

/** What follows from what an environment decided: flips are carried out, deployments hear of it. */
export function* settle(stage: Stage, here: Place, decided: readonly EnvironmentEvent[], by: Because): Story {
  const { random, ask } = stage;
  const engine: Because = { actor: ENGINE, correlation: by.correlation };
  for (const event of decided) {
    if (event.type === "FlipSuperseded") {
      const it = here.running.get(event.body.deploymentId);
      if (it && event.body.reason === "deploy")
        ask(it, { type: "SupersedeDeployment", by: { sequence: event.body.by }, onlyQueued: false }, engine);
      here.running.delete(event.body.deploymentId);
      yield;
    }
    if (event.type === "FlipHeld") {
      const it = here.running.get(event.body.deploymentId);
      if (it) ask(it, { type: "HoldDeployment", by: event.body.by }, engine);
      yield;
    }
    if (event.type !== "FlipRequested") continue;
    const { sequence, deploymentId, release, reason } = event.body;
    const it = reason === "deploy" ? here.running.get(deploymentId) : undefined;
    if (it) ask(it, { type: "StartFlip", sequence }, engine);
    yield;
    if (random.chance(0.02)) {
      const failed = ask(here.of, { type: "RecordFlipFailed", sequence, reason: "a version is gone", moved: random.chance(0.5) }, engine);
      if (it) ask(it, { type: "FailDeployment", step: "flip", reason: "a version is gone" }, engine);
      here.running.delete(deploymentId);
      yield* settle(stage, here, failed, by);
      continue;
    }
    for (const { name, version } of release.functions) {
      const from = here.of.state.aliases.get(name)?.version ?? "0";
      const revisionId = hex(stage, 32);
      ask(here.of, { type: "RecordAliasFlipped", sequence, deploymentId, function: name, from, to: version, revisionId }, engine);
      yield;
    }
    const live = ask(here.of, { type: "RecordWentLive", sequence }, engine);
    yield;
    if (it && live.some(({ type }) => type === "ReleaseWentLive")) ask(it, { type: "SucceedDeployment", sequence }, engine);
    if (it) here.running.delete(deploymentId);
    yield;
  }
}

const hex = ({ random }: Stage, length: number): string => Array.from({ length }, () => random.int(16).toString(16)).join("");

const requestOf = (stage: Stage, here: Place, who: string): Request => {
  const { random } = stage;
  const sha256 = hex(stage, 64);
  const message = Array.from({ length: 2 + random.int(5) }, () => random.pick(WORDS)).join(" ");
  return {
    deploymentId: `dep_${ulid(stage.now(), random.next)}`,
    site: here.site,
    environment: here.name,
    source: { key: `sources/${here.site}/${sha256}.zip`, sha256, bytes: 10_000 + random.int(9_000_000) },
    trigger: random.chance(0.7) ? "api" : "cli",
    requestedBy: who,
    commit: { sha: hex(stage, 40), message, author: who, branch: random.chance(0.7) ? "main" : `feature/${random.pick(WORDS)}` },
    ...(random.chance(0.2) && { reason: `release: ${message}` }),
  };
};

const releaseOf = (stage: Stage, here: Place, id: string): Release => {
  here.released += 1;
  const version = String(here.released);
  const roles = ["revalidation", "image", "server"] as const;
  return {
    id,
    functions: roles.map((role) => ({
      role,
      name: `shiplog-${here.site}-${here.name}-${role}`,
      version,
      codeSha256: Buffer.from(hex(stage, 64), "hex").toString("base64"),
      settings: hex(stage, 16),
    })),
    manifest: `releases/${here.site}/${here.name}/${id}/manifest.json`,
  };
};
