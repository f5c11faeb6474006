/**
 * Writes the histories that a release leaves behind: `node test/golden/record.ts 0.2.0`, once, before that release.
 * A folder that is there is never written again: later releases must read what earlier ones wrote.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { deployment } from "../../domain/deployment/decider.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { Route } from "../../domain/environment/route.ts";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { type Decider, fold, isRefusal } from "../../domain/kernel/decider.ts";
import {
  deploymentStream,
  environmentStream,
  letterStream,
  personStream,
  sessionStream,
  webhookStream,
} from "../../domain/kernel/identity.ts";
import { nextPosition } from "../../domain/kernel/position.ts";
import { letter } from "../../domain/letter/decider.ts";
import { person } from "../../domain/person/decider.ts";
import { session } from "../../domain/session/decider.ts";
import { webhook } from "../../domain/webhook/decider.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { artifact, assets, at, check, deploymentId, functions, release, request, sessionId, webhookId } from "../support/samples.ts";

const [release_] = process.argv.slice(2);
if (release_ === undefined || !/^\d+\.\d+\.\d+$/.test(release_)) throw new Error("Give the release: node test/golden/record.ts 0.2.0");
const folder = new URL(`./${release_}/`, import.meta.url);
if (existsSync(folder)) throw new Error(`${release_} has its histories already; they are kept as they are`);
mkdirSync(folder);

/** One history: each command decided, and its commit chained as the store does it. */
const record = <C, S, E extends object>(name: string, stream: string, decider: Decider<C, S, E>, commands: readonly C[]): void => {
  const events: E[] = [];
  const commits: Commit[] = [];
  for (const [i, command] of commands.entries()) {
    const outcome = decider.decide(command, fold(decider, events));
    if (isRefusal(outcome) || outcome.length === 0) throw new Error(`${name}: ${JSON.stringify(command)} wrote nothing`);
    events.push(...outcome);
    const previous = commits.at(-1);
    const cause = `cmd_${name}_${i + 1}`;
    const commit = {
      stream,
      version: i + 1,
      id: commitId(sha256, stream, cause),
      body: JSON.stringify(outcome),
      cause,
      correlation: `cmd_${name}_1`,
      actor: "ada",
      origin: i === 0 ? "token:ada 203.0.113.9" : "",
      at: at(i),
      position: nextPosition(Date.parse(at(i)), previous?.position, undefined),
      prev: previous?.hash ?? "",
    };
    commits.push({ ...commit, hash: commitHash(sha256, commit) });
  }
  writeFileSync(new URL(`${name}.ndjson`, folder), commits.map((commit) => `${JSON.stringify(commit)}\n`).join(""));
};

const commit = { sha: "0123abc", message: "Wärme", author: "Ada", branch: "main", committedAt: at(-600), dirty: true };
const deploymentHistory = (n: number, status: string, ...commands: DeploymentCommand[]) =>
  record(`deployment-${status}`, deploymentStream(deploymentId(n)), deployment, [
    {
      type: "QueueDeployment",
      sequence: n,
      request: request(n, { commit, reason: "release" }),
    },
    ...commands,
  ]);
const variables = { API_URL: "0123456789abcdef", NEXT_PUBLIC_NAME: "fedcba9876543210" };
const began: DeploymentCommand = { type: "RecordBuildStarted", buildId: "shiplog-web:1", logs: "https://example.com/logs", variables };
const built: DeploymentCommand = {
  type: "RecordBuildSucceeded",
  buildId: "shiplog-web:1",
  artifact: { ...artifact(1), sha256: "b".repeat(64) },
  exported: { NODE_VERSION: "24.21.0" },
};
const publish = (n: number): DeploymentCommand[] => [
  { type: "StartRelease", releaseId: deploymentId(n), warnings: ["no image optimisation"] },
  { type: "RecordAssets", ...assets },
  { type: "RecordVersions", functions: functions(n), variables },
];
const passed = (n: number): DeploymentCommand => ({ type: "RecordChecksPassed", release: release(n), checks: [check(n)] });

deploymentHistory(
  1,
  "success",
  began,
  built,
  ...publish(1),
  passed(1),
  { type: "StartFlip", sequence: 1 },
  { type: "SucceedDeployment", sequence: 1 },
);
deploymentHistory(2, "held", began, built, ...publish(2), passed(2), { type: "HoldDeployment", by: "lock", reason: "grace has locked it" });
deploymentHistory(3, "failed-build", began, {
  type: "RecordBuildFailed",
  buildId: "shiplog-web:1",
  status: "FAILED",
  phase: "BUILD",
  reason: "exit 1",
});
deploymentHistory(4, "failed-checks", began, built, ...publish(4), {
  type: "RecordChecksFailed",
  checks: [check(4, 500)],
  reason: "the server answered 500",
});
deploymentHistory(
  5,
  "cancelled",
  began,
  { type: "RequestCancel", reason: "wrong branch" },
  { type: "RecordBuildStopped", buildId: "shiplog-web:1", reason: "stopped" },
);
deploymentHistory(
  9,
  "deferred",
  { type: "RecordBuildDeferred", reason: "waiting for CodeBuild: Cannot have more than 1 builds in queue for the account" },
  began,
);
deploymentHistory(
  10,
  "swept",
  began,
  { type: "RecordBuildFailed", buildId: "shiplog-web:1", status: "FAILED", reason: "exit 1" },
  { type: "SweepRelease", mark: 2, rule: "never-live", keep: { releases: 1, days: 14, window: 168 } },
);
deploymentHistory(6, "superseded", { type: "SupersedeDeployment", by: { sequence: 7, deploymentId: deploymentId(7) }, onlyQueued: true });
record("deployment-reused", deploymentStream(deploymentId(7)), deployment, [
  {
    type: "QueueDeployment",
    sequence: 7,
    request: request(7, {
      source: null,
      trigger: "retry",
      retryOf: deploymentId(4),
      reuse: { from: deploymentId(4), buildId: "shiplog-web:1", releaseId: deploymentId(4), artifact: artifact(4), variables },
    }),
  },
]);

const by = { actor: "ada", at: at() };
const admit = (n: number): EnvironmentCommand => ({ type: "AdmitDeployment", request: request(n, { commit }), ...by });
const flip = (n: number): EnvironmentCommand => ({
  type: "RequestFlip",
  deploymentId: deploymentId(n),
  sequence: n,
  release: release(n),
  ...by,
});
const live = (sequence: number): EnvironmentCommand => ({ type: "RecordWentLive", sequence });
const moved = (sequence: number): EnvironmentCommand => ({
  type: "RecordAliasFlipped",
  sequence,
  deploymentId: deploymentId(sequence),
  function: "web-production-server",
  from: String(sequence - 1),
  to: String(sequence),
  revisionId: `r${sequence}`,
});
record("environment", environmentStream("web", "production"), environment, [
  admit(1),
  admit(2),
  admit(3),
  flip(1),
  moved(1),
  live(1),
  flip(3),
  moved(3),
  live(3),
  flip(2),
  {
    type: "RecordDrift",
    function: "web-production-server",
    expected: { version: "3", sequence: 3 },
    found: { version: "9", description: "by hand" },
  },
  { type: "PinEnvironment", reason: "frozen for the launch" },
  { type: "RequestRollback", why: "broken checkout", ...by },
  admit(5),
  { ...flip(5), sequence: 5 } as EnvironmentCommand,
  { type: "RecordFlipFailed", sequence: 4, reason: "a version is gone", moved: true },
  live(6),
  { type: "WithdrawFlip", deploymentId: deploymentId(5), reason: "cancelled" },
  { type: "UnpinEnvironment", reason: "fixed", ...by },
  { type: "LockEnvironment", reason: "moving the database", until: at(3600), ...by },
  { type: "UnlockEnvironment", reason: "moved", force: false, ...by },
]);

// what visitors are sent to; a hand's row; a release that ends by its window, and one that is cut off
const route = (sequence: number, n: number): Route => ({
  v: 1,
  sequence,
  address: n,
  release: deploymentId(n),
  host: ".lambda-url.eu-central-1.on.aws",
  server: `server${n}`,
  image: `image${n}`,
  ...(n === 2 && { split: [["api/*", `api${n}`] as [string, string]], base: "docs" }),
  files: n === 2 ? { set: "0123456789abcdef", rows: 3 } : { set: "fedcba9876543210", rows: 0, paths: "0a1b2c3d" },
});
const routed = (sequence: number, n: number, ...left: readonly number[]): EnvironmentCommand => ({
  type: "RecordWentLive",
  sequence,
  edge: { distribution: "E1", route: route(sequence, n), ended: left.map((one) => ({ release: deploymentId(one), until: at(3_600 * n) })) },
});
record("environment-edge", environmentStream("web", "production"), environment, [
  admit(1),
  flip(1),
  routed(1, 1),
  admit(2),
  flip(2),
  routed(2, 2, 1),
  { type: "RecordEdgeDrift", distribution: "E1", sequence: 2, found: "by hand" },
  { type: "RecordEdgeDriftEnded", distribution: "E1", sequence: 2 },
  admit(3),
  flip(3),
  routed(3, 3, 2),
  { type: "CutRelease", deploymentId: deploymentId(2), why: "it leaks", ...by },
  { type: "EndRelease", release: deploymentId(1), reason: "window", at: at(36_000) },
  { type: "RemoveAddress", release: deploymentId(1), address: 1 },
]);

// what nothing keeps is marked and swept; one mark is put off, and one has lost its list
const keep = { releases: 1, days: 14, window: 168 };
const going = { deploymentId: deploymentId(4), release: deploymentId(4), rule: "never-live" as const };
const marking: EnvironmentCommand = {
  type: "MarkReleases",
  keep,
  releases: [going],
  others: { named: ["version web-production-server:7"], files: 12 },
  list: "sweeps/web/production/list.json",
  digest: "d".repeat(64),
  sweepAfter: at(86_400),
};
const beginning = (mark: number, until: number): EnvironmentCommand => ({
  type: "BeginSweep",
  mark,
  keep,
  releases: [going],
  until: at(until),
  at: at(86_400),
  claims: { after: at(0), upTo: at(0) },
  flipped: null,
});
const taken = { rows: 3, addresses: 2, versions: 3, pages: 40, tags: 12, files: 25, artifacts: 1 };
record("environment-sweep", environmentStream("web", "production"), environment, [
  admit(1),
  flip(1),
  live(1),
  { type: "KeepRelease", deploymentId: deploymentId(1), reason: "the launch", claims: { after: at(0), upTo: at(0) } },
  marking,
  { type: "DropMark", mark: 1, reason: "its list is gone" },
  marking,
  beginning(2, 86_700),
  { type: "PutOffSweep", mark: 2, reason: `${deploymentId(5)} is being published` },
  beginning(2, 90_300),
  {
    type: "EndSweep",
    mark: 2,
    releases: 1,
    taken,
    bytes: 31_000_000,
    left: { count: 1, named: [{ thing: "version web-production-server:7", because: "an alias is at it" }] },
  },
  { type: "UnkeepRelease", deploymentId: deploymentId(1), reason: "the launch is over" },
]);

// a rollback that fails takes its pin back; one that is forced goes live all the same
record("environment-rollback", environmentStream("web", "production"), environment, [
  admit(1),
  flip(1),
  live(1),
  admit(2),
  flip(2),
  live(2),
  { type: "RequestRollback", ...by },
  { type: "RecordFlipFailed", sequence: 3, reason: "it answered 500", moved: false, unfit: true },
  { type: "RequestRollback", to: deploymentId(1), force: true, why: "broken checkout", ...by },
  { type: "RecordWentLive", sequence: 4, unproven: "it answered 500" },
]);

const elsewhere = { function: "web-production-server", expected: { version: "1", sequence: 1 } };
const mended: EnvironmentCommand = { type: "RecordDriftEnded", function: "web-production-server", version: "1", sequence: 1 };
record("environment-drift", environmentStream("web", "production"), environment, [
  admit(1),
  flip(1),
  moved(1),
  live(1),
  { type: "RecordDrift", ...elsewhere, found: { version: "9", description: "by hand" } },
  mended,
  { type: "RecordDrift", ...elsewhere, found: null },
  mended,
]);

// the second change of API_URL is told first
record("environment-variables", environmentStream("web", "production"), environment, [
  { type: "SetVariables", variables: [{ name: "API_URL", fingerprint: "00000000000000c3", revision: 3 }] },
  {
    type: "SetVariables",
    variables: [
      { name: "API_URL", fingerprint: "00000000000000b2", revision: 2 },
      { name: "API_KEY", fingerprint: "00000000000000a2", revision: 2 },
    ],
  },
  { type: "RecordVariablesRead", names: ["API_KEY", "API_URL"] },
  { type: "RemoveVariable", name: "API_KEY", revision: 4 },
]);

record("webhook", webhookStream(webhookId(1)), webhook, [
  {
    type: "AddWebhook",
    kind: "standard",
    maskedUrl: "https://example.com/…",
    filters: { site: "web", environment: "production", types: ["DeploymentFailed"] },
  },
  { type: "RotateSecret", previousUntil: at(86_400) },
  { type: "DisableWebhook", reason: "it answered 410 Gone" },
  { type: "EnableWebhook", reason: "it is back" },
  { type: "RemoveWebhook", reason: "moved" },
]);

// told the whole log, paused, and told a part of it again
record("webhook-subscription", webhookStream(webhookId(2)), webhook, [
  {
    type: "AddWebhook",
    kind: "subscription",
    maskedUrl: "https://example.com/…",
    filters: { site: "web", environment: null, types: ["EnvironmentPinned"] },
    from: "000000000000000",
  },
  { type: "DisableWebhook", reason: "paused by ada" },
  { type: "EnableWebhook" },
  { type: "ResetWebhook", from: "001795435200000", reason: "its store was lost" },
]);

record("session", sessionStream(sessionId(1)), session, [
  { type: "BeginSession", token: "ada", kind: "browser", proof: "0".repeat(64), until: at(43_200) },
  { type: "EndSession", reason: "lost laptop" },
]);

// sent again, still there, and given up
const aside = { consumer: "flip-alias", failure: "gave up after 24 tries: Lambda was away", about: environmentStream("web", "production") };
record("letter", letterStream("6f1c2a52-8a0e-4a57-9a3f-0c1d2e3f4a5b"), letter, [
  { type: "RedriveLetter", ...aside, reason: "Lambda is back" },
  { type: "DropLetter", ...aside, reason: "a newer release is live" },
]);
record("letter-untold", letterStream("0b7d9a11-3c4e-4f70-8d2b-5e6f7a8b9c0d"), letter, [
  { type: "RedriveLetter", consumer: "project", failure: "message: invalid", about: null },
]);

record("person", personStream("per_01JFZ4ZT0E0000000000000001"), person, [{ type: "ForgetPerson", reason: "left the company" }]);
