import { settingNames } from "./configuration.ts";
import { functionArn } from "./names.ts";
import type { Alias, FunctionRecord, FunctionUrl, Snapshot } from "./records.ts";

/** A FunctionConfiguration as the API answers it; `qualifier` is what the caller asked for, and ends the ARN. */
export const functionConfiguration = ({ name }: FunctionRecord, snapshot: Snapshot, qualifier?: string) => {
  const { passive, ...configuration } = snapshot.configuration;
  return {
    FunctionName: name,
    FunctionArn: functionArn(name, qualifier),
    ...configuration,
    ...settingsIn(passive),
    CodeSize: snapshot.code.size,
    CodeSha256: snapshot.code.sha256,
    Version: snapshot.version,
    LastModified: snapshot.lastModified,
    RevisionId: snapshot.revisionId,
    PackageType: "Zip",
    State: snapshot.state,
    ...(snapshot.state === "Pending" ? { StateReason: "The function is being created.", StateReasonCode: "Creating" } : {}),
    LastUpdateStatus: snapshot.lastUpdate,
    ...(snapshot.lastUpdate === "InProgress" ? { LastUpdateStatusReason: "The function is being created." } : {}),
  };
};

/** Earlier releases kept the whole request that made a function here, its code too. */
const settingsIn = (passive: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(passive).filter(([name]) => settingNames.has(name)));

export const aliasConfiguration = ({ name: functionName }: FunctionRecord, alias: Alias) => ({
  AliasArn: functionArn(functionName, alias.name),
  Name: alias.name,
  FunctionVersion: alias.functionVersion,
  Description: alias.description,
  ...(Object.keys(alias.weights).length > 0 ? { RoutingConfig: { AdditionalVersionWeights: alias.weights } } : {}),
  RevisionId: alias.revisionId,
});

/** `address` is where the endpoint serves it at this moment: its port may differ from one start to the next. */
export const functionUrlConfig = ({ name }: FunctionRecord, qualifier: string, url: FunctionUrl, address: string) => ({
  FunctionUrl: address,
  FunctionArn: functionArn(name, qualifier || undefined),
  AuthType: url.authType,
  InvokeMode: url.invokeMode,
  ...(url.cors ? { Cors: url.cors } : {}),
  CreationTime: url.created,
  LastModifiedTime: url.modified,
});
