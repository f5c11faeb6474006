import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  type AliasConfiguration,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionUrlConfigCommand,
  GetAliasCommand,
  GetFunctionUrlConfigCommand,
  type GetFunctionUrlConfigCommandOutput,
  GetPolicyCommand,
  type InvokeMode,
  type LambdaClient,
  paginateListAliases,
  UpdateAliasCommand,
  UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import { problemOf, unlessMissing } from "./errors.ts";

/** A function and the alias that a release has on it. */
export type AddressName = { readonly name: string; readonly alias: string };

export type AddressWanted = AddressName & {
  readonly version: string;
  readonly description: string;
  /** of the release: whether its answers are streams */
  readonly invokeMode: InvokeMode;
};

/** An alias of this name leads elsewhere. An address never moves: what is kept of it somewhere would be another release's. */
export class AddressTaken extends Error {
  override readonly name = "AddressTaken";
  constructor({ name, alias, version }: AddressWanted, found: AliasConfiguration) {
    const weights = found.RoutingConfig?.AdditionalVersionWeights ?? {};
    const elsewhere = [found.FunctionVersion, ...Object.keys(weights)].join(" and ");
    super(
      `The alias ${alias} of ${name} leads to version ${elsewhere}, not to ${version} alone, and a release's address never moves. ` +
        `Delete the alias if nothing needs it, then deploy again.`,
    );
  }
}

export type ReleaseAddresses = ReturnType<typeof releaseAddresses>;

/** The addresses of releases: an alias that never moves, with a Function URL of its own that everybody may ask. */
export const releaseAddresses = (client: LambdaClient) => ({
  /**
   * Makes what is missing of an address and gives its URL. It may be repeated, and two may do it at once; of an address that
   * is whole it costs two reads.
   *
   * @throws AddressTaken where the alias is at another version
   * @throws an error that is `busy` (`problemOf`) where Lambda is at another change of the function: try again later
   */
  make: async (wanted: AddressWanted): Promise<string> => {
    const made = await makeAlias(client, wanted);
    const found = made ? undefined : await urlOf(client, wanted);
    if (found !== undefined && isWhole(found, wanted)) return found.FunctionUrl ?? "";
    // before the URL: one that is there is one that everybody may ask
    await permit(client, wanted, URL_PERMISSION);
    await permit(client, wanted, INVOKE_PERMISSION);
    return found === undefined ? makeUrl(client, wanted) : correctUrl(client, wanted);
  },

  /** `undefined` where there is no such alias; its `url` is `undefined` where it was not made to its end, or is being removed. */
  find: async ({ name, alias }: AddressName): Promise<{ version: string; url: string | undefined } | undefined> => {
    const found = await aliasOf(client, { name, alias });
    if (found === undefined) return undefined;
    const url = await urlOf(client, { name, alias });
    return { version: found.FunctionVersion ?? "", url: url?.FunctionUrl };
  },

  /** The names of every alias of a function; none where there is no such function. */
  aliases: async (name: string): Promise<string[]> => (await unlessMissing(aliasNames(client, name))) ?? [],

  /** Takes the URL away, and then the alias, whose permissions go with it. Fine where they are gone already. */
  remove: async ({ name, alias }: AddressName): Promise<void> => {
    await unlessMissing(client.send(new DeleteFunctionUrlConfigCommand({ FunctionName: name, Qualifier: alias })));
    await unlessMissing(client.send(new DeleteAliasCommand({ FunctionName: name, Name: alias })));
  },
});

const aliasNames = async (client: LambdaClient, name: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { Aliases = [] } of paginateListAliases({ client }, { FunctionName: name }))
    names.push(...Aliases.flatMap(({ Name }) => Name ?? []));
  return names;
};

/** Whether it was made just now: then it has no URL yet, unless somebody else makes one in this moment. */
const makeAlias = async (client: LambdaClient, wanted: AddressWanted): Promise<boolean> => {
  const { name, alias, version, description } = wanted;
  const at = { FunctionName: name, Name: alias };
  let found = await aliasOf(client, wanted);
  if (found === undefined) {
    try {
      await client.send(new CreateAliasCommand({ ...at, FunctionVersion: version, Description: description }));
      return true;
    } catch (error) {
      found = await lookAfter(error, () => aliasOf(client, wanted));
    }
  }
  const shared = Object.keys(found.RoutingConfig?.AdditionalVersionWeights ?? {}).length > 0;
  if (found.FunctionVersion !== version || shared) throw new AddressTaken(wanted, found);
  // nothing but the words: the version stays whatever it is
  if (found.Description !== description) await client.send(new UpdateAliasCommand({ ...at, Description: description }));
  return false;
};

const aliasOf = (client: LambdaClient, { name, alias }: AddressName): Promise<AliasConfiguration | undefined> =>
  unlessMissing(client.send(new GetAliasCommand({ FunctionName: name, Name: alias })));

const urlOf = (client: LambdaClient, { name, alias }: AddressName): Promise<GetFunctionUrlConfigCommandOutput | undefined> =>
  unlessMissing(client.send(new GetFunctionUrlConfigCommand({ FunctionName: name, Qualifier: alias })));

/** One that somebody changed by hand answers nobody, or in pieces that its release does not make. */
const isWhole = ({ AuthType, InvokeMode = "BUFFERED" }: GetFunctionUrlConfigCommandOutput, { invokeMode }: AddressWanted): boolean =>
  AuthType === "NONE" && InvokeMode === invokeMode;

const makeUrl = async (client: LambdaClient, wanted: AddressWanted): Promise<string> => {
  try {
    const { FunctionUrl = "" } = await client.send(new CreateFunctionUrlConfigCommand(urlConfigOf(wanted)));
    return FunctionUrl;
  } catch (error) {
    const { FunctionUrl = "" } = await lookAfter(error, () => urlOf(client, wanted));
    return FunctionUrl;
  }
};

const correctUrl = async (client: LambdaClient, wanted: AddressWanted): Promise<string> => {
  const { FunctionUrl = "" } = await client.send(new UpdateFunctionUrlConfigCommand(urlConfigOf(wanted)));
  return FunctionUrl;
};

const urlConfigOf = ({ name, alias, invokeMode }: AddressWanted) => ({
  FunctionName: name,
  Qualifier: alias,
  AuthType: "NONE" as const,
  InvokeMode: invokeMode,
});

type Permission = Pick<AddPermissionCommandInput, "Action" | "FunctionUrlAuthType" | "InvokedViaFunctionUrl"> & { StatementId: string };

const URL_PERMISSION: Permission = { StatementId: "url", Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: "NONE" };
/** Only as a call of the address: nobody may invoke the function by its name. */
const INVOKE_PERMISSION: Permission = { StatementId: "invoke", Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true };

const permit = async (client: LambdaClient, { name, alias }: AddressName, permission: Permission): Promise<void> => {
  const at = { FunctionName: name, Qualifier: alias };
  try {
    await client.send(new AddPermissionCommand({ ...at, Principal: "*", ...permission }));
  } catch (error) {
    await lookAfter(error, async () => {
      const policy = await unlessMissing(client.send(new GetPolicyCommand(at)));
      return statementsIn(policy?.Policy).find((one) => one === permission.StatementId);
    });
  }
};

const statementsIn = (policy = '{"Statement":[]}'): (string | undefined)[] => {
  const { Statement } = JSON.parse(policy) as { Statement: { Sid?: string }[] };
  return Statement.map(({ Sid }) => Sid);
};

/** Lambda has one error for what is there already and for a change that it is at: what is found says which, else it is thrown. */
const lookAfter = async <T>(error: unknown, look: () => Promise<T | undefined>): Promise<T> => {
  if (problemOf(error) !== "busy") throw error;
  const found = await look();
  if (found === undefined) throw error;
  return found;
};
