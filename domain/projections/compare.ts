import * as z from "zod";
import type { DeploymentEvent } from "../deployment/events.ts";
import { type Fingerprints, FunctionRole, GitCommit, type PublishedFunction } from "../deployment/shapes.ts";
import { type EnvironmentEvent, FlipReason } from "../environment/events.ts";
import type { Recorded } from "../kernel/event.ts";
import { liveHistory } from "./live-history.ts";
import { type DeploymentView, Status } from "./views.ts";

/** Two releases of one site side by side. Made when it is asked for, of the log and of what is still there of each release. */

/** `unknown`: what one side was given is not known, or the two are not comparable. */
const Difference = z.enum(["added", "removed", "changed", "same", "unknown"]);
export type Difference = z.infer<typeof Difference>;

/** What Lambda has of a version besides its code and its variables. `bytes`: of the code's zip. */
export const VersionFacts = z.object({
  bytes: z.number(),
  memoryMb: z.number(),
  timeoutSeconds: z.number(),
  architecture: z.string(),
  runtime: z.string(),
});
export type VersionFacts = z.infer<typeof VersionFacts>;

const ComparedVersion = z.object({
  name: z.string(),
  version: z.string(),
  codeSha256: z.string(),
  /** names its settings and the values that it was given; says nothing of them */
  settings: z.string(),
  /** null where the version is gone */
  facts: VersionFacts.nullable(),
});
const ComparedFunction = z.object({
  role: FunctionRole,
  /** of its code */
  code: Difference,
  from: ComparedVersion.nullable(),
  to: ComparedVersion.nullable(),
});
/** Of a variable the name alone, and whether its value differs: for the build, and for the functions; null where neither has it. */
const ComparedVariable = z.object({ name: z.string(), build: Difference.nullable(), functions: Difference.nullable() });
/** Paths of public files, at most `MAX_PATHS` of them; `count`: all. */
const Paths = z.object({ count: z.number(), paths: z.array(z.string()) });

const LiveSpan = z.object({
  since: z.string(),
  /** null: it still is */
  until: z.string().nullable(),
  how: FlipReason,
  by: z.string(),
  why: z.string().nullable(),
});
const ComparedRelease = z.object({
  deploymentId: z.string(),
  site: z.string(),
  environment: z.string(),
  sequence: z.number(),
  status: Status,
  /** who asked for it, when, and why */
  actor: z.string(),
  queuedAt: z.string(),
  why: z.string().nullable(),
  commit: GitCommit.nullable(),
  /** false: nothing of it was ever ready to go live */
  isRelease: z.boolean(),
  /** newest first; empty where it never was */
  live: z.array(LiveSpan),
  /** the files that its log has: how many were put there, how many were there already, and the bytes that were put */
  files: z.object({ uploaded: z.number(), unchanged: z.number(), bytes: z.number() }).nullable(),
});

/** A deployment between the two, or the newer of them. */
const Between = z.object({ deploymentId: z.string(), sequence: z.number(), commit: GitCommit.nullable() });

export const Comparison = z.object({
  from: ComparedRelease,
  to: ComparedRelease,
  /** which of the two was asked for later; null where they are of two environments */
  newer: z.enum(["from", "to", "neither"]).nullable(),
  /** newest first, each commit once; null where they are of two environments: their deployments have no common order */
  commits: z.array(Between).nullable(),
  /** false where the log was not read far enough back for all commits and times */
  isWhole: z.boolean(),
  /** null where one of them never became a release */
  functions: z.array(ComparedFunction).nullable(),
  variables: z.array(ComparedVariable),
  /** null where the list of one of them is gone, or there never was one */
  publicFiles: z.object({ added: Paths, removed: Paths, changed: Paths, same: z.number() }).nullable(),
});
export type Comparison = z.infer<typeof Comparison>;

export type FileDigest = { readonly path: string; readonly sha256: string };

/** One of the two, as it was found. */
export type Side = {
  readonly deployment: DeploymentView;
  readonly events: readonly Recorded<DeploymentEvent>[];
  /** of its environment, in order, from its admission on */
  readonly environment: readonly Recorded<EnvironmentEvent>[];
  /** by `<name>:<version>`; without those that are gone */
  readonly facts: ReadonlyMap<string, VersionFacts>;
  readonly publicFiles: readonly FileDigest[] | undefined;
};

export const MAX_PATHS = 200;

/** Both sides are of one site. @param isWhole whether `environment` of each goes back to the older one's admission */
export const compare = (from: Side, to: Side, isWhole: boolean): Comparison => {
  const isOnePlace = from.deployment.environment === to.deployment.environment;
  const [older, newer] = from.deployment.sequence <= to.deployment.sequence ? [from, to] : [to, from];
  return {
    from: releaseOf(from),
    to: releaseOf(to),
    newer: isOnePlace ? (older.deployment.id === newer.deployment.id ? "neither" : newer === to ? "to" : "from") : null,
    commits: isOnePlace ? commitsBetween(older, newer) : null,
    isWhole,
    functions: comparedFunctions(from, to),
    variables: comparedVariables(from.deployment, to.deployment),
    publicFiles: from.publicFiles === undefined || to.publicFiles === undefined ? null : comparedFiles(from.publicFiles, to.publicFiles),
  };
};

const releaseOf = ({ deployment, events, environment }: Side): Comparison["from"] => {
  const { id, site, environment: name, sequence, status, actor, queuedAt, why, commit, release } = deployment;
  const assets = events.findLast((event) => event.type === "AssetsPublished")?.body;
  return {
    deploymentId: id,
    site,
    environment: name,
    sequence,
    status,
    actor,
    queuedAt,
    why,
    commit,
    isRelease: release !== null,
    live: liveHistory(environment)
      .filter(({ deploymentId }) => deploymentId === id)
      .map(({ since, until, how, by, why }) => ({ since, until, how, by, why })),
    files: assets === undefined ? null : { uploaded: assets.uploaded, unchanged: assets.unchanged, bytes: assets.bytes },
  };
};

/** What was asked for behind the older one, up to the newer one. A commit that was deployed again is not new. */
const commitsBetween = (older: Side, newer: Side): NonNullable<Comparison["commits"]> => {
  const seen = new Set([older.deployment.commit?.sha]);
  return older.environment.toReversed().flatMap((event) => {
    if (event.type !== "DeploymentAdmitted") return [];
    const { deploymentId, sequence, request } = event.body;
    if (sequence <= older.deployment.sequence || sequence > newer.deployment.sequence) return [];
    const { commit = null } = request;
    if (commit !== null && seen.has(commit.sha)) return [];
    if (commit !== null) seen.add(commit.sha);
    return [{ deploymentId, sequence, commit }];
  });
};

const comparedFunctions = (from: Side, to: Side): Comparison["functions"] => {
  const [before, after] = [from.deployment.release?.functions, to.deployment.release?.functions];
  if (before === undefined || after === undefined) return null;
  const roles = [...new Set([...before, ...after].map(({ role }) => role))];
  return roles.map((role) => {
    const was = before.find((one) => one.role === role);
    const is = after.find((one) => one.role === role);
    return {
      role,
      code: differenceOf(was?.codeSha256, is?.codeSha256),
      from: versionOf(was, from.facts),
      to: versionOf(is, to.facts),
    };
  });
};

const versionOf = (
  published: PublishedFunction | undefined,
  facts: Side["facts"],
): NonNullable<Comparison["functions"]>[number]["from"] => {
  if (published === undefined) return null;
  const { name, version, codeSha256, settings } = published;
  return { name, version, codeSha256, settings, facts: facts.get(`${name}:${version}`) ?? null };
};

type Given = Pick<DeploymentView, "site" | "environment" | "variables">;

/** Fingerprints of two environments are made with two keys: where both have a variable, nothing is told of its values. */
const comparedVariables = (from: Given, to: Given): Comparison["variables"] => {
  const isOneKey = from.environment === to.environment;
  const [a, b] = [from.variables, to.variables];
  const names = new Set([a.built, a.published, b.built, b.published].flatMap((given) => Object.keys(given ?? {})));
  const differ = (was: Fingerprints | null, is: Fingerprints | null, name: string): Difference | null => {
    if (was === null || is === null) return "unknown";
    const [before, after] = [own(was, name), own(is, name)];
    if (before === undefined && after === undefined) return null;
    return isOneKey || before === undefined || after === undefined ? differenceOf(before, after) : "unknown";
  };
  return [...names]
    .sort()
    .map((name) => ({ name, build: differ(a.built, b.built, name), functions: differ(a.published, b.published, name) }));
};

const own = (given: Fingerprints, name: string): string | undefined => (Object.hasOwn(given, name) ? given[name] : undefined);

const differenceOf = (before: string | undefined, after: string | undefined): Difference => {
  if (before === after) return "same";
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
};

const comparedFiles = (from: readonly FileDigest[], to: readonly FileDigest[]): Comparison["publicFiles"] => {
  const before = new Map(from.map(({ path, sha256 }) => [path, sha256]));
  const after = new Map(to.map(({ path, sha256 }) => [path, sha256]));
  const all = [...new Set([...before.keys(), ...after.keys()])].sort();
  const that = (wanted: Difference): string[] => all.filter((path) => differenceOf(before.get(path), after.get(path)) === wanted);
  const some = (paths: readonly string[]) => ({ count: paths.length, paths: paths.slice(0, MAX_PATHS) });
  return { added: some(that("added")), removed: some(that("removed")), changed: some(that("changed")), same: that("same").length };
};
