import type { Mutant } from "../simulation/mutants/mutants.ts";

/**
 * A small wrong edit, as a hand slips: one place, one thought. `tests` are those that concern the file; `equivalent` says
 * why nobody could ever notice.
 */
export type Edit = Mutant & { readonly tests: readonly string[]; readonly equivalent?: string };

/** The tests that concern a file, by the beginning of its path; the quickest first. */
const concerning: Readonly<Record<string, readonly string[]>> = {
  "domain/deployment": ["test/domain/deployment.test.ts", "test/domain/every-order.test.ts", "test/fuzz/domain.test.ts"],
  "domain/environment/fence": ["test/domain/fence.test.ts", "test/services/move-alias.test.ts"],
  "domain/environment": ["test/domain/environment.test.ts", "test/domain/rollback-plan.test.ts", "test/domain/every-order.test.ts"],
  "domain/webhook": ["test/domain/webhook.test.ts"],
  "services/start-build": ["test/services/start-build.test.ts"],
  "services/stop-build": ["test/services/stop-build.test.ts"],
  "services/watch-build": ["test/services/watch-build.test.ts"],
  "services/publish-release/publish-function": ["test/services/publish-function.test.ts"],
  "services/publish-release": ["test/services/publish-release.test.ts"],
  "services/flip-alias/move-alias.ts": ["test/services/move-alias.test.ts"],
  "services/flip-alias/warm": ["test/services/warm.test.ts"],
  "services/flip-alias/files-writer": ["test/services/files-writer.test.ts"],
  "services/flip-alias": ["test/services/flip-alias.test.ts", "test/services/flip-drift.test.ts", "test/services/flip-files.test.ts"],
  "services/advance": ["test/services/advance.test.ts"],
  "services/refresh-edge": ["test/services/refresh-edge.test.ts"],
  "services/reconcile/mend": ["test/services/mend.test.ts"],
  "services/reconcile/forget-unused": ["test/services/api.test.ts"],
  "services/reconcile": [
    "test/services/reconcile.test.ts",
    "test/services/reconcile-environment.test.ts",
    "test/services/reconcile-build.test.ts",
    "test/services/reconcile-deployment.test.ts",
  ],
  "services/api": ["test/services/api.test.ts"],
  "engine/log/relay-commit": ["test/services/relay.test.ts"],
  "services/relay": ["test/services/relay.test.ts"],
  "engine/views/keep-row": ["test/services/project.test.ts"],
  "services/project": ["test/services/project.test.ts"],
  "engine/kit/consumer": ["test/services/consumer.test.ts"],
  "engine/log/event-store": ["test/contract/event-store.test.ts", "test/contract/event-log.test.ts"],
  "engine/log/days": ["test/contract/event-log.test.ts"],
  "engine/log/execute": ["test/services/execute.test.ts"],
  "engine/open-next/probe": ["test/services/warm.test.ts", "test/services/publish-release.test.ts"],
  "engine/archive/seal": ["test/services/seal-rest.test.ts"],
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
    'if (state.status !== "queued" || !source)',
    "if (!source)",
  ),
  edit(
    "start-build: a build is started whatever value is missing",
    "services/start-build/start-build.ts",
    "    if (missing !== undefined) return fail(missing);\n",
    "",
  ),
  edit(
    "start-build: a secret that cannot be read for a while fails the deployment",
    "services/start-build/start-build.ts",
    "    if (isFinal(error)) return `the values",
    "    if (error instanceof Error) return `the values",
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
    'if (state.status !== "cancelling") return;',
    'if (state.status !== "cancelled") return;',
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
    "if (!projects.some(",
    "if (projects.length === 0 && !projects.some(",
  ),
  edit("watch-build: the status is not in the cause", "services/watch-build/watch-build.ts", "{build.status}`,", '{""}`,'),
  edit(
    "watch-build: a former project speaks for whoever has its name now",
    "services/watch-build/handler.ts",
    "=== former) ? [] : [former]",
    "=== former) ? [former] : [former]",
  ),
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
    "if (env.chosen <= sequence) return false;",
    "if (env.chosen < sequence) return false;",
  ),
  edit(
    "publish-release: a failed check does not count",
    "services/publish-release/publish-release.ts",
    "  if (faults.length > 0) {",
    "  if (faults.length > 3) {",
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
  edit("flip-alias: the server goes first", "services/flip-alias/move-aliases.ts", 'role === "server" ? 3', 'role === "server" ? -1'),
  edit("flip-alias: once is sure", "services/flip-alias/move-aliases.ts", "const CONFIRMATIONS = 2;", "const CONFIRMATIONS = 0;"),
  edit(
    "flip-alias: a newer alias seen while it is read back is passed over",
    "services/flip-alias/move-aliases.ts",
    "if (at !== undefined && at.sequence > sequence && at.sequence <=",
    "if (at !== undefined && at.sequence > sequence + 100 && at.sequence <=",
  ),
  edit(
    "flip-alias: a flip that is superseded before it began says nothing",
    "services/flip-alias/flip-alias.ts",
    "    if (before.flipped > flip.sequence) {\n      await superseded(flip, before.flipped);",
    "    if (before.flipped > flip.sequence) {",
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
    "engine/views/keep-row.ts",
    "    if (await put(view)) return;",
    "    await put(view);\n    return;",
  ),
  edit("project: a row is folded anew from its second commit", "engine/views/keep-row.ts", "before?.version ?? 0", "before?.version ?? 1"),
  edit(
    "project: a row that is one behind is new enough",
    "engine/views/keep-row.ts",
    "if (from >= version) return;",
    "if (from >= version - 1) return;",
  ),
  // relay
  edit(
    "relay: what was lost before a commit stays lost",
    "engine/log/relay-commit.ts",
    "before === version - 1 ? [commit]",
    "before <= version - 1 ? [commit]",
  ),
  edit(
    "relay: more is noted than was published",
    "engine/log/relay-commit.ts",
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
  edit("consumer: the last try is one too late", "engine/kit/consumer.ts", "last: receives >= maxReceives", "last: receives > maxReceives"),
  edit(
    "execute: a conflict is the end of it",
    "engine/log/execute.ts",
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
    "!isDisabled && attempt < MAX_ATTEMPTS",
    "!isDisabled && attempt < MAX_ATTEMPTS - 1",
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
  edit(
    "rules: what waits goes when the pin goes, though it is locked",
    "domain/environment/decider.ts",
    "return state.waiting === null || lockAt(state, at) !== null ? [unpinned] :",
    "return state.waiting === null ? [unpinned] :",
  ),
  edit(
    "rules: what waits goes when the lock goes, though it is pinned",
    "domain/environment/decider.ts",
    "return state.waiting === null || state.pinned ? [unlocked] :",
    "return state.waiting === null ? [unlocked] :",
  ),
  edit(
    "rules: what is live is put back though something newer is on its way",
    "domain/environment/decider.ts",
    "Math.max(state.live?.sequence ?? 0, ...state.open.keys()) > sequence",
    "(state.live?.sequence ?? 0) > sequence",
  ),
  edit(
    "rules: what is going live can be cancelled",
    "domain/deployment/decider.ts",
    '  if (state.flipping) return refuse("deployment.flipping", "it is going live at this moment; roll back instead");\n',
    "",
  ),
  edit(
    "rules: a build that begins while it is cancelled is nobody's",
    "domain/deployment/decider.ts",
    'if (state.status !== "queued" && state.status !== "cancelling") return ended(state);',
    'if (state.status !== "queued") return ended(state);',
  ),
  edit(
    "rules: a build that ends before it is seen to begin was never begun",
    "domain/deployment/decider.ts",
    "state.buildId === null && buildId !== null ? [{",
    "state.buildId !== null && buildId === null ? [{",
  ),
  // warm-up
  edit(
    "warm-up: what fails with the live release too is the release's own fault",
    "services/flip-alias/warm.ts",
    "if (shared.length === 0) throw",
    "if (shared.length >= 0) throw",
  ),
  edit(
    "warm-up: the first try is the last word",
    "services/flip-alias/warm.ts",
    "if (!again) throw new ProbeFailed(failure);",
    "if (again) throw new ProbeFailed(failure);",
  ),
  edit(
    "warm-up: a version that is gone is tried once more",
    "services/flip-alias/warm.ts",
    "if (faults.some(({ final }) => final)) throw",
    "if (again && faults.some(({ final }) => final)) throw",
  ),
  edit(
    "warm-up: a release that does not know its edge's key goes live",
    "engine/open-next/probe.ts",
    "  if (isRefusal(headers)) return { fault: KEY_UNKNOWN, final: true };\n",
    "",
  ),
  edit(
    "warm-up: a release that does not know its edge's key goes live by force",
    "engine/open-next/probe.ts",
    "fault: KEY_UNKNOWN, final: true",
    "fault: KEY_UNKNOWN",
  ),
  edit("warm-up: 500 is an answer", "engine/open-next/probe.ts", "return status >= 500 ?", "return status > 500 ?"),
  edit("warm-up: one cold start that fails is enough", "engine/open-next/probe.ts", "const TRIES = 2;", "const TRIES = 1;"),
  // what is counted is counted anew
  edit(
    "flip-alias: answers of the new version need not come in a row",
    "services/flip-alias/move-aliases.ts",
    "sure = ran === version ? sure + 1 : 0;",
    "sure = ran === version ? sure + 1 : sure;",
  ),
  edit(
    "flip-alias: an alias with its sequence is its own, whatever the version",
    "services/flip-alias/move-aliases.ts",
    "return fence?.sequence === sequence && found?.version === version;",
    "return fence?.sequence === sequence && found?.version !== undefined;",
  ),
  edit(
    "flip-alias: a writer of files says so too seldom",
    "services/flip-alias/files-writer.ts",
    "isWithin(renewed, RENEW_MS) ||",
    "isWithin(renewed, LEASE_MS) ||",
  ),
  edit(
    "flip-alias: what a failed flip put stays",
    "services/flip-alias/flip-alias.ts",
    "  await settleFiles(ports, flip, site);\n  return given;",
    "  if (given === undefined) await settleFiles(ports, flip, site);\n  return given;",
  ),
  edit(
    "flip-alias: what was settled is noted for ever",
    "services/flip-alias/flip-alias.ts",
    "    await ports.unsettled.forget(flip.place, flip.sequence);\n    if (given",
    "    if (given",
  ),
  edit(
    "flip-alias: whoever comes after a flip that died takes it for settled",
    "services/flip-alias/flip-alias.ts",
    "if (!(await ports.unsettled.isNoted(flip.place, flip.sequence))) return;",
    "if (await ports.unsettled.isNoted(flip.place, flip.sequence)) return;",
  ),
  edit(
    "reconcile: what was admitted a day ago and never begun stays",
    "services/reconcile/environments.ts",
    "if (queued.length === 0 && age > REMEMBERED_MS) await dropRequest(ports, event);",
    "if (queued.length === 0 && age > REMEMBERED_MS) continue;",
  ),
  edit(
    "mender: what begins is forgotten before its row is there",
    "services/reconcile/mend.ts",
    "else if ((await ports.projected(stream)) > 0) {",
    "else if ((await ports.projected(stream)) >= 0) {",
  ),
  edit(
    "deliver: an endpoint that takes something again is failing still",
    "services/deliver/deliver.ts",
    "if (health.failingSince > 0 || health.throttledUntil > 0)",
    "if (health.throttledUntil > 0)",
  ),
  edit(
    "deliver: each failure is the first",
    "services/deliver/deliver.ts",
    "health.failingSince || (ofEndpoint ? at : 0)",
    "ofEndpoint ? at : 0",
  ),
  edit(
    "deliver: a failure ends the pause that was asked for",
    "services/deliver/deliver.ts",
    "pause > 0 ? now + pause : health.throttledUntil",
    "now + pause",
    "nothing is sent to an endpoint during a pause: that it is over is known here",
  ),
  edit("consumer: the second delivery is like the first", "engine/kit/consumer.ts", "again: receives > 1", "again: receives > 2"),
  edit(
    "publish-release: a version with less memory is used again",
    "services/publish-release/publish-function.ts",
    "  state.memoryMb === wanted.memoryMb &&\n",
    "",
  ),
  // seal
  edit("seal: where there is more than one seal has, it ends", "engine/archive/seal.ts", "    if (more) continue;\n", ""),
  edit(
    "seal: what seals by time passed over stays out",
    "engine/archive/seal.ts",
    "sealed.missing[0]?.from ?? sealed.version + 1",
    "sealed.version + 1",
  ),
  edit("seal: one commit may be missing", "engine/archive/seal.ts", "if (version > head.version + 1)", "if (version > head.version + 2)"),
  edit(
    "seal: that all of a stream is sealed is never noted",
    "engine/archive/seal.ts",
    "else if (fault === undefined) await",
    "else if (fault !== undefined) await",
  ),
  // whose turn it is
  edit(
    "reconcile: of many environments the same ones are looked at",
    "services/reconcile/turn.ts",
    "Math.floor(now / RUN_MS) % turns",
    "0",
  ),
  edit("reconcile: a hundred environments are too many for a run", "services/reconcile/turn.ts", "Math.ceil(", "1 + Math.floor("),
  // the reconciler's times
  edit(
    "reconcile: a build beyond its time limit goes on",
    "services/reconcile/deployments.ts",
    "      if (build !== undefined) await builds.stop(build.id);\n",
    "",
  ),
  edit(
    "reconcile: the edge is told again and again",
    "services/reconcile/environments.ts",
    "invalidated >= live.sequence",
    "invalidated > live.sequence",
  ),
  edit(
    "reconcile: what nobody heard of is begun anew for ever",
    "services/reconcile/environments.ts",
    "queued.length === 0 && age > REMEMBERED_MS",
    "queued.length < 0 && age > REMEMBERED_MS",
  ),
  edit(
    "mender: where there was more than fits, the next run passes it over",
    "services/reconcile/mend.ts",
    "last === undefined ? until :",
    "last !== undefined ? until :",
  ),
  // what is left of an endpoint
  edit(
    "api: an endpoint's secret is kept and nobody notes it",
    "services/api/webhooks.ts",
    "      await note(id);\n      const signing",
    "      const signing",
  ),
  edit(
    "api: nobody notes that an endpoint is removed",
    "services/api/webhooks.ts",
    "      await note(id);\n      await give",
    "      await give",
  ),
  edit(
    "api: an endpoint that was removed is given a secret again",
    "services/api/webhooks.ts",
    "    if (state.removed) await secrets.forget(id);\n",
    "",
  ),
  edit(
    "mender: the note of a secret goes before the secret",
    "services/reconcile/mend.ts",
    "      await ports.forgetUnused(stream);\n      await ports.forgetBegun(stream);\n",
    "      await ports.forgetBegun(stream);\n      await ports.forgetUnused(stream);\n",
  ),
  edit("mender: what is noted is settled at once", "services/reconcile/mend.ts", "    else if (age <= ROW_MS) continue;\n", ""),
  edit("reconcile: an endpoint that is used loses its secret", "services/reconcile/forget-unused.ts", "if (state.removed) await", "await"),
  edit(
    "rules: an endpoint that is added is abandoned all the same",
    "domain/webhook/decider.ts",
    "return state.kind === null && !state.removed ?",
    "return !state.removed ?",
  ),
  // what no test noticed before
  edit(
    "deliver: a time that only a wrong clock can have given is waited for",
    "services/deliver/deliver.ts",
    "time > clock.now() && time - clock.now() < MAX_WAIT_MS",
    "time > clock.now()",
  ),
  edit(
    "deliver: what a person asks for takes the place of what is planned",
    "services/deliver/deliver.ts",
    'byHand ? "/by-hand"',
    'byHand ? ""',
  ),
  edit("deliver: a line ends before its request", "services/deliver/deliver.ts", "now + timeoutMs + 10_000", "now + 10_000"),
  edit("deliver: tries are kept without end", "services/deliver/deliver.ts", ".slice(0, KEPT_TRIES)", ""),
  edit(
    "reconcile: an open flip hears of an earlier hold",
    "services/reconcile/deployments.ts",
    "if (isOpen || (view.status",
    "if ((view.status",
  ),
  edit(
    "reconcile: a cancel without a build ends at once",
    "services/reconcile/deployments.ts",
    "      if (age < NUDGE_MS.cancelling && view.buildId === null) return;\n",
    "",
  ),
  edit(
    "reconcile: a build that is gone is waited for, whatever clock dated it",
    "services/reconcile/deployments.ts",
    "build === undefined && isAhead(view.since, ports.now())",
    "false",
  ),
  edit(
    "reconcile: what a clock ahead has dated is young",
    "services/reconcile/age.ts",
    "isAhead(at, now) ? UNKNOWN_MS : now - Date.parse(at)",
    "now - Date.parse(at)",
  ),
  edit(
    "watch-build: the log of any build is read",
    "services/watch-build/watch-build.ts",
    'status !== "FAILED" || logs === null',
    "logs === null",
  ),
  edit(
    "advance: what was cancelled asks for a flip",
    "services/advance/advance.ts",
    ' || state.status === "cancelled" || state.status === "failed"',
    "",
  ),
  edit(
    "publish-release: one redirect is followed",
    "services/publish-release/check-release.ts",
    "redirects < MAX_REDIRECTS",
    "redirects < 1",
  ),
  edit(
    "publish-release: a script that is missing is there",
    "services/publish-release/check-release.ts",
    "if (!(await ports.hasAsset(site, path, manifest))) missing",
    "if (await ports.hasAsset(site, path, manifest)) missing",
  ),
  edit(
    "log: a stream that goes on does not name its day",
    "engine/log/event-store.ts",
    "end.position === undefined || dayOf(end.position) !== dayOf(commit.position)",
    "end.position === undefined",
  ),
  edit(
    "log: the first of the days without a name stays without",
    "engine/log/days.ts",
    "for (const day of await found()) await nameDay",
    "for (const day of (await found()).slice(1)) await nameDay",
  ),
  edit(
    "relay: what goes with a commit is not noted as unsealed",
    "engine/log/relay-commit.ts",
    "noteUnsealed(stream, last)",
    "noteUnsealed(stream, version)",
  ),
  edit(
    "log: what somebody else wrote there is our own",
    "engine/log/event-store.ts",
    "if (there?.id === commit.id) return",
    "if (there !== undefined) return",
  ),
];
