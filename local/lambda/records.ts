import { createHash } from "node:crypto";
import { functionArn, isVersionNumber, LATEST } from "./names.ts";
import { conflict, notFound } from "./refusals.ts";

/** What a version fixes beside its code, in the API's own words. Stored. */
export type Configuration = {
  readonly Runtime: string;
  readonly Role: string;
  readonly Handler: string;
  readonly Description: string;
  /** Seconds. */
  readonly Timeout: number;
  /** MB. Recorded and told to the function, not enforced. */
  readonly MemorySize: number;
  readonly Architectures: readonly string[];
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> } | undefined;
  /** Settings that change nothing locally and are only given back (TracingConfig, LoggingConfig, VpcConfig …). */
  readonly passive: Readonly<Record<string, unknown>>;
};

/** A zip in the code store: `sha256` in base64, `size` of the zip in bytes. */
export type Code = { readonly sha256: string; readonly size: number };

/** `$LATEST` or a published version. */
export type Snapshot = {
  readonly version: string;
  readonly configuration: Configuration;
  readonly code: Code;
  readonly state: "Pending" | "Active";
  readonly lastUpdate: "InProgress" | "Successful";
  readonly lastModified: string;
  readonly revisionId: string;
  /** Only while an update is in progress: what invocations of `$LATEST` still run. */
  readonly serving?: { readonly configuration: Configuration; readonly code: Code } | undefined;
  /** Only of a published version: the fingerprint of the `$LATEST` that it was made from. */
  readonly publishedFrom?: string | undefined;
};

export type Alias = {
  readonly name: string;
  readonly functionVersion: string;
  readonly description: string;
  /** At most one other version and its share (0–1) of the invocations. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
};

export type FunctionUrl = {
  readonly id: string;
  readonly authType: string;
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  readonly cors?: unknown;
  readonly created: string;
  readonly modified: string;
};

export type Policy = { readonly revisionId: string; readonly statements: Readonly<Record<string, object>> };

/** Everything about one function: the unit that is written to disk, whole, before a change is answered. */
export type FunctionRecord = {
  readonly name: string;
  readonly latest: Snapshot;
  readonly versions: Readonly<Record<string, Snapshot>>;
  /** Never falls, not even when the function is deleted and created again: version numbers are not reused. */
  readonly nextVersion: number;
  readonly aliases: Readonly<Record<string, Alias>>;
  /** By qualifier; the unqualified one under "". */
  readonly urls: Readonly<Record<string, FunctionUrl>>;
  readonly policies: Readonly<Record<string, Policy>>;
};

/** What stays of a deleted function: the number that its successor of the same name goes on from. */
export type Tombstone = { readonly name: string; readonly nextVersion: number; readonly deleted: true };

/** The same for the same code and configuration, whatever the order of keys. */
export const fingerprint = ({ configuration, code }: { configuration: Configuration; code: Code }): string =>
  createHash("sha256")
    .update(JSON.stringify(sorted([code.sha256, configuration])))
    .digest("hex");

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
};

/** The versions that an alias may send an invocation to. */
export const versionsOf = (alias: Alias): readonly string[] => [alias.functionVersion, ...Object.keys(alias.weights)];

export const aliasesOn = (record: FunctionRecord, version: string): readonly Alias[] =>
  Object.values(record.aliases).filter((alias) => versionsOf(alias).includes(version));

/** The alias of that name, if there is one. An alias may be called "constructor". */
export const findAlias = (record: FunctionRecord, name: string): Alias | undefined =>
  Object.hasOwn(record.aliases, name) ? record.aliases[name] : undefined;

/** The alias of that name; 404 when there is none. */
export const aliasOf = (record: FunctionRecord, name: string): Alias => {
  const alias = findAlias(record, name);
  if (!alias) throw notFound(`Cannot find alias arn: ${functionArn(record.name, name)}`);
  return alias;
};

/** `$LATEST` or the published version of that number; 404 when there is none. */
export const versionOf = (record: FunctionRecord, version: string): Snapshot => {
  const snapshot = version === LATEST ? record.latest : record.versions[version];
  if (!snapshot) throw notFound(`Function not found: ${functionArn(record.name, version)}`);
  return snapshot;
};

/** The version that a qualifier names; a weighted alias gives its main version. */
export const snapshotAt = (record: FunctionRecord, qualifier: string | undefined): Snapshot => {
  if (!qualifier || qualifier === LATEST || isVersionNumber(qualifier)) return versionOf(record, qualifier ?? LATEST);
  const alias = findAlias(record, qualifier);
  if (!alias) throw notFound(`Function not found: ${functionArn(record.name, qualifier)}`);
  return versionOf(record, alias.functionVersion);
};

/** 409 while `$LATEST` is being created or updated. */
export const refuseWhileChanging = ({ name, latest }: FunctionRecord): void => {
  if (latest.state === "Pending") {
    throw conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending");
  }
  if (latest.lastUpdate === "InProgress") {
    throw conflict(`The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(name)}`);
  }
};
