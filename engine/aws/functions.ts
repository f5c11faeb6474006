import {
  type AliasConfiguration,
  DeleteFunctionCommand,
  type FunctionConfiguration,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type InvokeCommandOutput,
  type LambdaClient,
  paginateListVersionsByFunction,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { FoundAlias } from "../../domain/environment/fence.ts";
import { isThrottled, problemOf, unlessMissing } from "./errors.ts";

/** The part of a function's configuration that a release decides. */
export type Settings = {
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly variables: Readonly<Record<string, string>>;
};

export type FunctionState = Settings & {
  readonly version: string;
  readonly codeSha256: string;
  /** of its code, zipped: what it takes of the account's code storage */
  readonly bytes: number;
  readonly revisionId: string;
  readonly state: string;
  readonly reason: string;
  readonly updating: boolean;
  readonly updateFailed: string | null;
};

export type AliasState = FoundAlias & { readonly revisionId: string };

export type Functions = ReturnType<typeof lambdaFunctions>;

/** Lambda functions, their versions and aliases. */
export const lambdaFunctions = (client: LambdaClient) => ({
  /** A version (or `$LATEST`); `undefined` where it does not exist. */
  get: async (name: string, version = "$LATEST"): Promise<FunctionState | undefined> => {
    const found = await unlessMissing(client.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: version })));
    return found && stateOf(found);
  },

  /** Every published version, newest first, without `$LATEST`. */
  versions: async (name: string): Promise<FunctionState[]> => {
    const found: FunctionState[] = [];
    for await (const { Versions = [] } of paginateListVersionsByFunction({ client }, { FunctionName: name }))
      found.push(...Versions.filter(({ Version }) => Version !== "$LATEST").map(stateOf));
    return found.sort((a, b) => Number(b.version) - Number(a.version));
  },

  /** Deletes one version, and never the function. `false` where an alias is at it; fine where it is gone already. */
  deleteVersion: (name: string, version: string): Promise<boolean> => deleteVersion(client, name, version),

  configure: async (name: string, settings: Settings, revisionId: string): Promise<void> => {
    await client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        Handler: settings.handler,
        MemorySize: settings.memoryMb,
        Timeout: settings.timeoutSeconds,
        Environment: { Variables: { ...settings.variables } },
        RevisionId: revisionId,
      }),
    );
  },

  /** Uploads code and publishes it as a version at once. */
  publish: async (
    name: string,
    code: { bucket: string; key: string },
    architecture: "x86_64" | "arm64",
    revisionId: string,
  ): Promise<FunctionState> =>
    stateOf(
      await client.send(
        new UpdateFunctionCodeCommand({
          FunctionName: name,
          S3Bucket: code.bucket,
          S3Key: code.key,
          Architectures: [architecture],
          Publish: true,
          RevisionId: revisionId,
        }),
      ),
    ),

  /** `undefined` where the alias does not exist. */
  alias: async (name: string, alias: string): Promise<AliasState | undefined> => {
    const found = await unlessMissing(client.send(new GetAliasCommand({ FunctionName: name, Name: alias })));
    return found && aliasStateOf(found);
  },

  /** Moves the alias, all of it, if nobody changed it since `revisionId`. */
  moveAlias: async (name: string, alias: string, to: { version: string; description: string }, revisionId: string): Promise<AliasState> =>
    aliasStateOf(
      await client.send(
        new UpdateAliasCommand({
          FunctionName: name,
          Name: alias,
          FunctionVersion: to.version,
          Description: to.description,
          RoutingConfig: { AdditionalVersionWeights: {} },
          RevisionId: revisionId,
        }),
      ),
    ),

  /** Bytes of the code of all functions and versions in the region, and how many there may be. */
  codeStorage: async (): Promise<{ used: number; limit: number }> => {
    const { AccountLimit, AccountUsage } = await client.send(new GetAccountSettingsCommand({}));
    return { used: AccountUsage?.TotalCodeSize ?? 0, limit: AccountLimit?.TotalCodeSize ?? Number.POSITIVE_INFINITY };
  },

  /**
   * Runs a version or alias; `version` is the one that really ran.
   *
   * @param withinMs after so long it is not waited for any more (`isOutOfTime`); without it, as long as it takes
   */
  invoke: (name: string, qualifier: string, payload: unknown, withinMs?: number): Promise<Invoked> =>
    invoke(client, new InvokeCommand({ FunctionName: name, Qualifier: qualifier, Payload: JSON.stringify(payload) }), withinMs),
});

const deleteVersion = async (client: LambdaClient, name: string, version: string): Promise<boolean> => {
  if (!/^\d+$/.test(version)) throw new Error(`"${version}" is no version of ${name}: without a number the whole function would go`);
  try {
    await unlessMissing(client.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: version })));
    return true;
  } catch (error) {
    // Lambda has one error for this and for an update that is under way, which a version has not
    if (problemOf(error) === "busy" && !isThrottled(error)) return false;
    throw error;
  }
};

export type Invoked = { readonly version: string; readonly failed: string | null; readonly payload: string };
const invoke = async (client: LambdaClient, command: InvokeCommand, withinMs: number | undefined): Promise<Invoked> => {
  const answer = await (withinMs === undefined ? client.send(command) : sentWithin(client, command, withinMs));
  return {
    version: answer.ExecutedVersion ?? "",
    failed: answer.FunctionError ?? null,
    payload: answer.Payload?.transformToString() ?? "",
  };
};

const sentWithin = async (client: LambdaClient, command: InvokeCommand, ms: number): Promise<InvokeCommandOutput> => {
  const timeIsOver = new AbortController();
  const timer = setTimeout(() => timeIsOver.abort(), ms).unref();
  try {
    return await client.send(command, { abortSignal: timeIsOver.signal });
  } finally {
    clearTimeout(timer);
  }
};

const aliasStateOf = ({ FunctionVersion = "", Description = "", RevisionId = "", RoutingConfig }: AliasConfiguration): AliasState => {
  const weights = RoutingConfig?.AdditionalVersionWeights ?? {};
  return {
    version: FunctionVersion,
    description: Description,
    revisionId: RevisionId,
    ...(Object.keys(weights).length > 0 && { weights }),
  };
};

const stateOf = (configuration: FunctionConfiguration): FunctionState => ({
  version: configuration.Version ?? "",
  codeSha256: configuration.CodeSha256 ?? "",
  bytes: configuration.CodeSize ?? 0,
  revisionId: configuration.RevisionId ?? "",
  state: configuration.State ?? "Active",
  reason: configuration.StateReason ?? "",
  updating: configuration.LastUpdateStatus === "InProgress",
  updateFailed: configuration.LastUpdateStatus === "Failed" ? (configuration.LastUpdateStatusReason ?? "no reason given") : null,
  handler: configuration.Handler ?? "",
  memoryMb: configuration.MemorySize ?? 0,
  timeoutSeconds: configuration.Timeout ?? 0,
  variables: configuration.Environment?.Variables ?? {},
});
