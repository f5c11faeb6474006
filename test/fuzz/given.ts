import fc from "fast-check";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import type { Step } from "../../domain/deployment/shapes.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { artifact, at, check, deploymentId, functions, release, request } from "../support/samples.ts";

/** Commands as Shiplog's own code might give them, in any number and order, with texts that nobody would expect. */
const text = fc.string({ unit: "binary", maxLength: 60 });
const number = fc.integer({ min: 1, max: 4 });
const sequence = fc.integer({ min: 1, max: 7 });
const by = fc.record({ actor: text, at: fc.integer({ min: 0, max: 50 }).map(at) });
const step = fc.constantFrom<Step>("queue", "build", "publish", "check", "flip", "cancel");
const build = fc.constantFrom("build:1", "build:2");

export const deploymentCommand: fc.Arbitrary<DeploymentCommand> = fc.oneof(
  fc.record({ type: fc.constant("QueueDeployment" as const), sequence, request: fc.constant(request(1)) }),
  fc.record({ type: fc.constant("RecordBuildStarted" as const), buildId: build, logs: text }),
  fc.record({ type: fc.constant("RecordBuildSucceeded" as const), buildId: build, artifact: number.map(artifact) }),
  fc.record({ type: fc.constant("RecordBuildFailed" as const), buildId: fc.option(build), status: text, phase: text, reason: text }),
  fc.record({ type: fc.constant("RecordBuildStopped" as const), buildId: fc.option(build), reason: text }),
  fc.record({ type: fc.constant("StartRelease" as const), releaseId: number.map(deploymentId) }),
  fc.record({ type: fc.constant("RecordVersions" as const), functions: number.map(functions) }),
  number.map((n) => ({ type: "RecordChecksPassed" as const, release: release(n), checks: [check(n)] })),
  fc.record({ type: fc.constant("RecordChecksFailed" as const), checks: number.map((n) => [check(n, 500)]), reason: text }),
  fc.record({ type: fc.constant("HoldDeployment" as const), by: fc.constantFrom("pin" as const, "lock" as const) }),
  fc.record({ type: fc.constant("StartFlip" as const), sequence }),
  fc.record({ type: fc.constant("SucceedDeployment" as const), sequence }),
  fc.record({ type: fc.constant("FailDeployment" as const), step, reason: text }),
  fc.record({ type: fc.constant("SupersedeDeployment" as const), by: fc.record({ sequence }), onlyQueued: fc.boolean() }),
  fc.record({ type: fc.constant("RequestCancel" as const), reason: text }),
);

const aliasState = fc.record({ version: number.map(String), description: text });
export const environmentCommand: fc.Arbitrary<EnvironmentCommand> = fc.oneof(
  fc.tuple(number, by).map(([n, asked]) => ({ type: "AdmitDeployment" as const, request: request(n), ...asked })),
  fc.tuple(number, sequence, by).map(([n, at, asked]) => ({
    type: "RequestFlip" as const,
    deploymentId: deploymentId(n),
    sequence: at,
    release: release(n),
    ...asked,
  })),
  fc
    .tuple(
      fc.option(number.map(deploymentId), { nil: undefined }),
      fc.option(number.map(deploymentId), { nil: undefined }),
      fc.boolean(),
      by,
    )
    .map(([to, from, force, asked]) => ({
      type: "RequestRollback" as const,
      ...(to !== undefined && { to }),
      ...(from !== undefined && { from }),
      force,
      ...asked,
    })),
  fc.record({
    type: fc.constant("RecordAliasFlipped" as const),
    function: fc.constantFrom("web-production-server", "web-production-revalidation"),
    deploymentId: number.map(deploymentId),
    from: number.map(String),
    to: number.map(String),
    sequence,
    revisionId: text,
  }),
  fc.record({ type: fc.constant("RecordWentLive" as const), sequence }),
  fc.record({ type: fc.constant("RecordWentLive" as const), sequence, unproven: text }),
  fc.record({ type: fc.constant("RecordFlipSuperseded" as const), sequence, by: sequence }),
  fc.record({ type: fc.constant("RecordFlipFailed" as const), sequence, reason: text, moved: fc.boolean(), unfit: fc.boolean() }),
  fc.record({ type: fc.constant("RestoreLive" as const), sequence }),
  fc.record({ type: fc.constant("WithdrawFlip" as const), deploymentId: number.map(deploymentId), reason: text }),
  fc.record({
    type: fc.constant("RecordDrift" as const),
    function: fc.constantFrom("web-production-server", "web-production-image"),
    expected: fc.record({ version: number.map(String), sequence }),
    found: fc.option(aliasState),
  }),
  fc.record({
    type: fc.constant("RecordDriftEnded" as const),
    function: fc.constant("web-production-server"),
    version: number.map(String),
    sequence,
  }),
  fc.record({ type: fc.constant("PinEnvironment" as const), reason: text }),
  by.map((asked) => ({ type: "UnpinEnvironment" as const, ...asked })),
  fc.tuple(text, fc.option(fc.integer({ min: 0, max: 50 }).map(at)), by).map(([reason, until, asked]) => ({
    type: "LockEnvironment" as const,
    reason,
    until,
    ...asked,
  })),
  fc.tuple(fc.boolean(), by).map(([force, asked]) => ({ type: "UnlockEnvironment" as const, force, ...asked })),
  fc.integer({ min: 0, max: 50 }).map((second) => ({ type: "ExpireLock" as const, at: at(second) })),
);
