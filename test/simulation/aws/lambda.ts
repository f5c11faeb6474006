import { hash } from "node:crypto";
import { EMPTY_ALIAS } from "../../../blueprint/site-resources.ts";
import { awsError } from "../world/call.ts";
import type { World } from "../world/world.ts";
import { type Address, addressOperations } from "./addresses.ts";
import type { Objects } from "./objects.ts";

export type Settings = { Handler: string; MemorySize: number; Timeout: number; Environment: { Variables: Record<string, string> } };
export type Version = Settings & {
  readonly version: string;
  readonly code: string;
  readonly sha: string;
  state: "Pending" | "Active" | "Failed";
  deleted: boolean;
};
export type Alias = {
  version: string;
  description: string;
  revision: string;
  /** the part of the visitors, 0 to 1, that goes to another version instead */
  weights?: Readonly<Record<string, number>>;
};
export type Fn = {
  readonly name: string;
  latest: Settings & { code: string; sha: string; revision: string; updating: boolean };
  readonly versions: Map<string, Version>;
  alias: Alias | undefined;
  /** aliases of releases, by name */
  readonly addresses: Map<string, Address>;
  /** what the alias said before, and until when an answer may still come from there */
  stale: { version: string; until: number } | undefined;
  numbers: number;
};
/** Words in a function's code that decide how it runs. */
export const BREAKS = "BREAKS";
export const NEVER_STARTS = "NEVER STARTS";

export type Watch = {
  /** a consumer moved an alias */
  aliasMoved(fn: Fn, from: Alias, to: Alias): void;
  /** somebody read what the alias says */
  aliasRead(fn: Fn, alias: Alias): void;
  /** somebody asked through the alias, and this version answered */
  answered(fn: Fn, version: string): void;
  /** a consumer deleted a version */
  versionDeleted(fn: Fn, version: string): void;
  /** a consumer takes the URL of a release's alias away, or the alias */
  addressDeleted(fn: Fn, alias: string): void;
};
export type Lambda = ReturnType<typeof lambdaOf>;

/** Lambda's control plane as it is: updates take their time and change the revision twice, and meanwhile everything is refused. */
export const lambdaOf = (world: World, objects: Objects, watch: Watch) => {
  const functions = new Map<string, Fn>();
  let revisions = 0;
  let floodedUntil = 0;
  const revision = (): string => `r${++revisions}`;
  const conflict = () => awsError("ResourceConflictException", 409);
  const find = (name: string): Fn => {
    const fn = functions.get(name);
    if (fn === undefined) throw awsError("ResourceNotFoundException", 404);
    return fn;
  };
  const versionOf = (fn: Fn, version: string): Version => {
    const found = fn.versions.get(version);
    if (found === undefined || found.deleted) throw awsError("ResourceNotFoundException", 404);
    return found;
  };
  const update = (fn: Fn, revisionId: string | undefined, change: () => void): void => {
    if (fn.latest.updating || world.faults.strikes("lambda-busy")) throw conflict();
    if (revisionId !== undefined && revisionId !== fn.latest.revision) throw awsError("PreconditionFailedException", 412);
    change();
    fn.latest.revision = revision();
    fn.latest.updating = true;
    world.after(world.random.spread(10, 1_000), () => {
      fn.latest.updating = false;
      fn.latest.revision = revision();
    });
  };
  const configuration = (fn: Fn, of: Settings & { sha: string; code: string }, version: string, more: object) => ({
    FunctionName: fn.name,
    Version: version,
    CodeSha256: of.sha,
    CodeSize: of.code.length,
    Handler: of.Handler,
    MemorySize: of.MemorySize,
    Timeout: of.Timeout,
    Environment: of.Environment,
    ...more,
  });
  const latestOf = (fn: Fn) =>
    configuration(fn, fn.latest, "$LATEST", {
      RevisionId: fn.latest.revision,
      State: "Active",
      LastUpdateStatus: fn.latest.updating ? "InProgress" : "Successful",
    });
  const publishedOf = (fn: Fn, version: Version) =>
    configuration(fn, version, version.version, {
      RevisionId: `v${version.version}`,
      State: version.state,
      StateReason: version.state === "Failed" ? "it never starts" : "",
    });

  const { get: addressOf, describe: describeAddress, ...addresses } = addressOperations({ find, versionOf }, watch.addressDeleted);
  const api = {
    ...addresses,
    GetAccountSettings: () => ({ AccountLimit: { TotalCodeSize: 1_000 }, AccountUsage: { TotalCodeSize: 10 } }),
    GetFunctionConfiguration: ({ FunctionName, Qualifier }: { FunctionName: string; Qualifier: string }) => {
      const fn = find(FunctionName);
      return Qualifier === "$LATEST" ? latestOf(fn) : publishedOf(fn, versionOf(fn, Qualifier));
    },
    ListVersionsByFunction: ({ FunctionName }: { FunctionName: string }) => {
      const fn = find(FunctionName);
      const there = [...fn.versions.values()].filter(({ deleted }) => !deleted);
      if (there.length > 1 && world.faults.strikes("stale-read")) there.pop();
      return { Versions: [latestOf(fn), ...there.map((version) => publishedOf(fn, version))] };
    },
    UpdateFunctionConfiguration: ({
      FunctionName,
      RevisionId,
      Handler,
      MemorySize,
      Timeout,
      Environment,
    }: Settings & { FunctionName: string; RevisionId?: string }) => {
      const fn = find(FunctionName);
      update(fn, RevisionId, () => Object.assign(fn.latest, { Handler, MemorySize, Timeout, Environment }));
      return latestOf(fn);
    },
    UpdateFunctionCode: ({
      FunctionName,
      RevisionId,
      S3Bucket,
      S3Key,
    }: {
      FunctionName: string;
      RevisionId?: string;
      S3Bucket: string;
      S3Key: string;
    }) => {
      const fn = find(FunctionName);
      const code = objects.read(S3Bucket, S3Key);
      if (code === undefined) throw awsError("InvalidParameterValueException", 400, `no object ${S3Key}`);
      update(fn, RevisionId, () => Object.assign(fn.latest, { code, sha: hash("sha256", code, "base64") }));
      const { code: _, revision: __, updating: ___, ...settings } = fn.latest;
      const last = fn.versions.get(String(fn.numbers));
      if (last !== undefined && !last.deleted && last.sha === fn.latest.sha && same(last, fn.latest)) return publishedOf(fn, last);
      const version: Version = { ...settings, code, version: String(++fn.numbers), state: "Pending", deleted: false };
      fn.versions.set(version.version, version);
      world.after(world.random.spread(10, 1_500), () => {
        version.state = code.includes(NEVER_STARTS) ? "Failed" : "Active";
      });
      return publishedOf(fn, version);
    },
    DeleteFunction: ({ FunctionName, Qualifier }: { FunctionName: string; Qualifier?: string }) => {
      const fn = find(FunctionName);
      if (Qualifier === undefined || !/^\d+$/.test(Qualifier)) {
        world.violate(`the whole function ${FunctionName} is about to be deleted`);
        throw awsError("InvalidParameterValueException", 400);
      }
      const version = versionOf(fn, Qualifier);
      if (isNamed(fn, Qualifier)) throw conflict();
      watch.versionDeleted(fn, Qualifier);
      version.deleted = true;
    },
    GetAlias: ({ FunctionName, Name }: { FunctionName: string; Name: string }) => {
      const fn = find(FunctionName);
      if (Name !== "live") return addressOf(FunctionName, Name);
      const { alias } = fn;
      if (alias === undefined) throw awsError("ResourceNotFoundException", 404);
      watch.aliasRead(fn, alias);
      return { FunctionVersion: alias.version, Description: alias.description, RevisionId: alias.revision, ...routingOf(alias) };
    },
    UpdateAlias: ({
      FunctionName,
      Name,
      FunctionVersion,
      Description,
      RevisionId,
      RoutingConfig,
    }: {
      FunctionName: string;
      Name: string;
      FunctionVersion: string;
      Description: string;
      RevisionId?: string;
      RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> };
    }) => {
      const fn = find(FunctionName);
      if (Name !== "live") return describeAddress(FunctionName, Name, Description);
      const from = fn.alias;
      if (from === undefined) throw awsError("ResourceNotFoundException", 404);
      if (RevisionId !== undefined && RevisionId !== from.revision) throw awsError("PreconditionFailedException", 412);
      versionOf(fn, FunctionVersion);
      // without RoutingConfig the weights stay as they are
      const weights = RoutingConfig === undefined ? from.weights : RoutingConfig.AdditionalVersionWeights;
      const to: Alias = { version: FunctionVersion, description: Description, revision: revision(), ...(weights && { weights }) };
      fn.alias = to;
      fn.stale = { version: from.version, until: world.now() + (world.faults.strikes("stale-read") ? world.random.spread(50, 4_000) : 0) };
      watch.aliasMoved(fn, from, to);
      return { FunctionVersion: to.version, Description: to.description, RevisionId: to.revision, ...routingOf(to) };
    },
    Invoke: ({ FunctionName, Qualifier }: { FunctionName: string; Qualifier: string }) => {
      const fn = find(FunctionName);
      if (floodedUntil > world.now()) throw awsError("TooManyRequestsException", 429);
      const isAlias = !/^\d+$/.test(Qualifier);
      const old = isAlias && (fn.stale?.until ?? 0) > world.now() ? fn.stale?.version : undefined;
      if (isAlias && fn.alias === undefined) throw awsError("ResourceNotFoundException", 404);
      const [other, part] = Object.entries(fn.alias?.weights ?? {})[0] ?? [];
      const drawn = isAlias && other !== undefined && world.random.chance(part ?? 0) ? other : undefined;
      const version = versionOf(fn, isAlias ? (old ?? drawn ?? fn.alias?.version ?? "") : Qualifier);
      if (version.state === "Pending") throw conflict();
      if (version.state === "Failed") throw awsError("ResourceNotReadyException", 502);
      if (isAlias) watch.answered(fn, version.version);
      const broken = version.code.includes(BREAKS);
      return {
        ExecutedVersion: version.version,
        ...(broken && { FunctionError: "Unhandled" }),
        Payload: { transformToString: () => (broken ? '{"errorMessage":"it breaks"}' : '{"statusCode":200}') },
      };
    },
  };

  return {
    functions: functions as ReadonlyMap<string, Fn>,
    api: api as unknown as Readonly<Record<string, (input: unknown) => unknown>>,
    create: (name: string): void => {
      const settings: Settings = { Handler: "index.handler", MemorySize: 128, Timeout: 3, Environment: { Variables: {} } };
      const code = `placeholder of ${name}`;
      const sha = hash("sha256", code, "base64");
      functions.set(name, {
        name,
        latest: { ...settings, code, sha, revision: revision(), updating: false },
        versions: new Map([["1", { ...settings, code, sha, version: "1", state: "Active", deleted: false }]]),
        alias: { version: "1", description: EMPTY_ALIAS, revision: revision() },
        addresses: new Map(),
        stale: undefined,
        numbers: 1,
      });
    },
    /** Until then nothing is run for whoever asks. */
    flood: (until: number): void => {
      floodedUntil = Math.max(floodedUntil, until);
    },
    /** Somebody changes the alias in the console. */
    edit: (fn: Fn, change: Partial<Alias>): void => {
      if (fn.alias !== undefined) fn.alias = { ...fn.alias, ...change, revision: revision() };
    },
    /** Somebody deletes the alias. */
    deleteAlias: (fn: Fn): void => {
      fn.alias = undefined;
    },
  };
};

const routingOf = ({ weights }: Alias) => (weights === undefined ? {} : { RoutingConfig: { AdditionalVersionWeights: weights } });

/** Whether an alias has its visitors go to two versions. */
export const isWeighted = ({ weights = {} }: Alias): boolean => Object.keys(weights).length > 0;

/** Whether an alias leads to a version, or sends a part of its visitors there: Lambda keeps it. */
const isNamed = ({ alias, addresses }: Fn, version: string): boolean =>
  alias?.version === version ||
  Object.hasOwn(alias?.weights ?? {}, version) ||
  [...addresses.values()].some((address) => address.version === version);

const same = (a: Settings, b: Settings): boolean =>
  a.Handler === b.Handler &&
  a.MemorySize === b.MemorySize &&
  a.Timeout === b.Timeout &&
  JSON.stringify(a.Environment.Variables) === JSON.stringify(b.Environment.Variables);
