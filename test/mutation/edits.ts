import type { Mutant } from "../simulation/mutants/mutants.ts";

/**
 * A small wrong edit, as a hand slips: one place, one thought. `tests` are those that concern the file; `equivalent` says
 * why nobody could ever notice.
 */
export type Edit = Mutant & { readonly tests: readonly string[]; readonly equivalent?: string };

/** The tests that concern a file, by the beginning of its path. */
const concerning: Readonly<Record<string, readonly string[]>> = {
  "domain/deployment": ["test/domain/deployment.test.ts", "test/domain/every-order.test.ts", "test/fuzz/domain.test.ts"],
  "domain/environment/fence": ["test/domain/fence.test.ts"],
  "domain/environment": ["test/domain/environment", "test/domain/every-order.test.ts", "test/fuzz/domain.test.ts"],
  "services/start-build": ["test/services/start-build.test.ts", "test/flow/build-events.test.ts"],
  "services/stop-build": ["test/flow/cancel.test.ts"],
  "services/watch-build": ["test/flow/build-events.test.ts"],
  "services/publish-release/publish-function": ["test/contract/publish-function.test.ts"],
  "services/publish-release": ["test/services/publish-release.test.ts", "test/flow/bad-builds.test.ts"],
  "services/flip-alias/move-alias": ["test/services/move-alias.test.ts"],
  "services/flip-alias": ["test/services/flip-alias", "test/flow/flip", "test/flow/rollback.test.ts"],
  "services/advance": ["test/services/advance.test.ts", "test/flow/flip.test.ts"],
  "services/refresh-edge": ["test/services/refresh-edge.test.ts"],
  "services/reconcile/mend": ["test/services/mend.test.ts"],
  "services/reconcile": ["test/services/reconcile"],
  "services/kit/relay": ["test/services/relay.test.ts", "test/services/mend.test.ts"],
  "services/relay": ["test/services/relay.test.ts"],
  "services/kit/keep-row": ["test/services/project.test.ts", "test/services/replay.test.ts"],
  "services/project": ["test/services/project.test.ts", "test/services/replay.test.ts"],
  "services/kit/consumer": ["test/services/consumer.test.ts"],
  "services/kit/execute": ["test/services/execute.test.ts"],
  "services/store/seal": ["test/services/seal.test.ts", "test/contract/seal.test.ts"],
  "services/store": ["test/contract/event-store.test.ts", "test/contract/event-log.test.ts"],
  "services/notify": ["test/services/notify.test.ts"],
  "services/deliver": ["test/services/deliver.test.ts"],
};

const edit = (name: string, file: string, from: string, to: string, equivalent?: string): Edit => ({
  name,
  changes: [{ file, from, to }],
  tests: concerning[Object.keys(concerning).find((begin) => file.startsWith(begin)) ?? ""] ?? [],
  ...(equivalent !== undefined && { equivalent }),
});

export const edits: readonly Edit[] = [
  // start-build
  edit(
    "start-build: a build is started for whatever is not queued",
    "services/start-build/start-build.ts",
    'state.status !== "queued" || !state.request',
    "!state.request",
  ),
  edit(
    "start-build: a build that nobody waits for goes on",
    "services/start-build/start-build.ts",
    "    if (refusal !== undefined) await builds.stop(build.id);\n",
    "",
  ),
  edit(
    "start-build: what CodeBuild refuses for good is asked again",
    "services/start-build/start-build.ts",
    "if (!isFinal(error)) throw error;",
    "if (isFinal(error)) throw error;",
  ),
  edit(
    "start-build: a cancel does not look for a build that was not written down",
    "services/start-build/start-build.ts",
    "      if (found !== undefined) {",
    "      if (found === null) {",
  ),
  // stop-build
  edit(
    "stop-build: nothing is stopped",
    "services/stop-build/stop-build.ts",
    'state.status === "cancelling" && state.buildId !== null',
    'state.status === "cancelled" && state.buildId !== null',
  ),
  // watch-build
  edit(
    "watch-build: a stopped build has failed",
    "services/watch-build/watch-build.ts",
    'return { type: "RecordBuildStopped", buildId, reason: "its build was stopped" };',
    'return { type: "RecordBuildFailed", buildId, status: "FAILED", reason: "its build was stopped" };',
  ),
  edit(
    "watch-build: a build of another project is believed",
    "services/watch-build/watch-build.ts",
    "if (!build.id.startsWith(",
    "if (project === undefined && !build.id.startsWith(",
  ),
  edit("watch-build: the status is not in the cause", "services/watch-build/watch-build.ts", "{build.status}`,", '{""}`,'),
  // publish-release
  edit(
    "publish-release: a version that failed is used again",
    "services/publish-release/publish-function.ts",
    ' && version.state !== "Failed",',
    ",",
  ),
  edit(
    "publish-release: a version with other settings is used again",
    "services/publish-release/publish-function.ts",
    "version.codeSha256 === code.sha256 && sameSettings(version, settings) &&",
    "version.codeSha256 === code.sha256 &&",
  ),
  edit(
    "publish-release: a variable with another value is the same",
    "services/publish-release/publish-function.ts",
    "names.every((name) => a[name] === b[name])",
    "names.every((name) => name in b)",
  ),
  edit(
    "publish-release: nobody waits until an update of the function is through",
    "services/publish-release/publish-function.ts",
    '(state) => !state.updating && state.state !== "Pending"',
    '(state) => state.state !== "Pending"',
  ),
  edit(
    "publish-release: what never starts is a version like others",
    "services/publish-release/publish-function.ts",
    '    if (state.state === "Failed") throw',
    '    if (state.state === "Inactive") throw',
  ),
  edit(
    "publish-release: a release is history when it is the newest",
    "services/publish-release/publish-release.ts",
    "if (env.chosen <= state.sequence) return false;",
    "if (env.chosen < state.sequence) return false;",
  ),
  edit(
    "publish-release: a failed check does not count",
    "services/publish-release/publish-release.ts",
    "      if (faults.length > 0) {",
    "      if (faults.length > 3) {",
  ),
  edit(
    "publish-release: a release that was cancelled meanwhile is published",
    "services/publish-release/publish-release.ts",
    "ended = ({ refusal }: Executed<unknown>): boolean => refusal !== undefined;",
    "ended = ({ events }: Executed<unknown>): boolean => events === undefined;",
  ),
  // flip-alias
  edit(
    "flip-alias: an alias at the same sequence with another version is there",
    "domain/environment/fence.ts",
    "return found.version === flip.version &&",
    "return found.version !== undefined &&",
  ),
  edit(
    "flip-alias: the server goes first",
    "services/flip-alias/flip-alias.ts",
    '["revalidation", "image", "server"]',
    '["server", "image", "revalidation"]',
  ),
  edit("flip-alias: once is sure", "services/flip-alias/flip-alias.ts", "const SURE = 2;", "const SURE = 0;"),
  edit(
    "flip-alias: a newer alias seen while it is read back is passed over",
    "services/flip-alias/flip-alias.ts",
    "if (at !== undefined && at.sequence > sequence && at.sequence <=",
    "if (at !== undefined && at.sequence > sequence + 100 && at.sequence <=",
  ),
  edit(
    "flip-alias: a flip that is superseded before it began says nothing",
    "services/flip-alias/flip-alias.ts",
    "    if (state.flipped > sequence) {\n      await superseded(state.flipped);",
    "    if (state.flipped > sequence) {",
  ),
  // advance
  edit(
    "advance: the deployment before is not superseded",
    "services/advance/advance.ts",
    "if (previous !== null) await",
    "if (previous === null) await",
  ),
  edit(
    "advance: a deployment before that builds already is superseded too",
    "services/advance/advance.ts",
    "by: { sequence, deploymentId }, onlyQueued: true",
    "by: { sequence, deploymentId }, onlyQueued: false",
  ),
  edit(
    "advance: a rollback ends the deployment of its release",
    "services/advance/advance.ts",
    '        if (event.body.flip === "deploy")',
    '        if (event.body.flip !== "restore")',
  ),
  edit(
    "advance: what was cancelled stays held",
    "services/advance/advance.ts",
    '{ type: "WithdrawFlip", deploymentId, reason }',
    '{ type: "WithdrawFlip", deploymentId: reason, reason }',
  ),
  // refresh-edge
  edit("refresh-edge: each try is another invalidation", "services/refresh-edge/refresh-edge.ts", "{sequence}`)", '{""}`)'),
  edit("refresh-edge: a failure is recorded at the first try", "services/refresh-edge/refresh-edge.ts", "if (!last) throw error;", ""),
  // project
  edit(
    "project: a lost race is the end of it",
    "services/kit/keep-row.ts",
    "    if (await put(view)) return;",
    "    await put(view);\n    return;",
  ),
  edit("project: a row is folded anew from its second commit", "services/kit/keep-row.ts", "before?.version ?? 0", "before?.version ?? 1"),
  edit(
    "project: a row that is one behind is new enough",
    "services/kit/keep-row.ts",
    "if (from >= version) return;",
    "if (from >= version - 1) return;",
  ),
  // relay
  edit(
    "relay: what was lost before a commit stays lost",
    "services/kit/relay.ts",
    "before === version - 1 ? [commit]",
    "before <= version - 1 ? [commit]",
  ),
  edit(
    "relay: more is noted than was published",
    "services/kit/relay.ts",
    "missing.at(-1)?.version ?? version",
    "(missing.at(-1)?.version ?? version) + 1",
  ),
  edit(
    "relay: a failure in a batch is one of its end",
    "services/relay/handler.ts",
    'return { batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber ?? "" }] };',
    'return { batchItemFailures: [{ itemIdentifier: Records.at(-1)?.dynamodb?.SequenceNumber ?? "" }] };',
  ),
  // the mender
  edit("mender: it looks back a minute", "services/reconcile/mend.ts", "const WINDOW_MS = 3_600_000;", "const WINDOW_MS = 60_000;"),
  edit(
    "mender: a run with more than fits is a whole one",
    "services/reconcile/mend.ts",
    "commits.length < LIMIT ? undefined : commits.at(-1)",
    "commits.length <= LIMIT ? undefined : commits.at(-1)",
  ),
  edit(
    "mender: the oldest commit of a stream stands for it",
    "services/reconcile/mend.ts",
    "for (const commit of commits) newest.set(commit.stream, commit);",
    "for (const commit of commits.toReversed()) newest.set(commit.stream, commit);",
  ),
  // reconcile
  edit(
    "reconcile: a build that ended is not reported",
    "services/reconcile/deployments.ts",
    'if (build !== undefined && build.status !== "IN_PROGRESS") return ports.reportBuild(build);',
    'if (build !== undefined && build.status === "STOPPED") return ports.reportBuild(build);',
  ),
  edit(
    "reconcile: a lost flip is not sent again",
    "services/reconcile/environments.ts",
    "else if (age > NUDGE_MS) await ports.publish([event]);",
    "",
  ),
  edit("reconcile: a lock that is over stays", "services/reconcile/environments.ts", "state.lock.until <= at", "state.lock.until >= at"),
  edit(
    "reconcile: an orphan's build goes on",
    "services/reconcile/reconcile.ts",
    "if (view === undefined || !isEnd(view.status)) continue;",
    "if (view === undefined || isEnd(view.status)) continue;",
  ),
  // consumer and execute: what every verb stands on
  edit(
    "consumer: the last try is one too late",
    "services/kit/consumer.ts",
    "last: receives >= maxReceives",
    "last: receives > maxReceives",
  ),
  edit(
    "execute: a conflict is the end of it",
    "services/kit/execute.ts",
    "!(error instanceof Conflict) || tries === MAX_TRIES",
    "!(error instanceof Conflict) || tries <= MAX_TRIES",
  ),
  // notify and deliver
  edit(
    "notify: a disabled endpoint hears of it",
    "services/notify/notify.ts",
    "filter(({ disabled }) => disabled === null)",
    "filter(({ disabled }) => disabled !== undefined)",
  ),
  edit("deliver: a redirect counts as delivered", "services/deliver/verdict.ts", "status < 300)", "status < 400)"),
  edit("deliver: 410 disables nothing", "services/deliver/verdict.ts", "if (status === 410)", "if (status === 411)"),
  edit(
    "deliver: an attempt too few",
    "services/deliver/deliver.ts",
    "!dead && attempt < MOST_ATTEMPTS",
    "!dead && attempt < MOST_ATTEMPTS - 1",
  ),
  // the rules
  edit(
    "rules: what waited longer goes live after what is newer",
    "domain/environment/decider.ts",
    "const newer = Math.max(state.chosen, state.waiting?.sequence ?? 0);",
    "const newer = state.chosen;",
  ),
  edit(
    "rules: a pin holds nothing",
    "domain/environment/decider.ts",
    'const by = state.pinned ? "pin"',
    'const by = state.drift === undefined ? "pin"',
  ),
];
