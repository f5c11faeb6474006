import { awsError } from "../world/call.ts";
import type { Fn, Version } from "./lambda.ts";

/** An alias besides `live`, with the URL and permissions that it has so far. */
export type Address = {
  readonly version: string;
  description: string;
  readonly permissions: Set<string>;
  url: { readonly id: string; readonly mode: string } | undefined;
};
type Finds = { readonly find: (name: string) => Fn; readonly versionOf: (fn: Fn, version: string) => Version };
type Asked = { readonly FunctionName: string; readonly Qualifier: string };

const HOST = ".lambda-url.eu-west-1.on.aws";

/** Aliases of releases, with their URLs. An id is never given twice. @param deleted told of each that is about to lose its URL, or to go */
export const addressOperations = ({ find, versionOf }: Finds, deleted: (fn: Fn, alias: string) => void) => {
  let ids = 0;
  const missing = () => awsError("ResourceNotFoundException", 404);
  const conflict = () => awsError("ResourceConflictException", 409);
  const of = (name: string, alias: string): Address => {
    const address = find(name).addresses.get(alias);
    if (address === undefined) throw missing();
    return address;
  };
  const urlOf = ({ url }: Address) => {
    if (url === undefined) throw missing();
    return { FunctionUrl: `https://${url.id}${HOST}/`, AuthType: "NONE", InvokeMode: url.mode };
  };

  return {
    /** An alias of a release moves for nobody here: only its words change. */
    describe: (name: string, alias: string, description: string) => {
      of(name, alias).description = description;
    },
    get: (name: string, alias: string) => {
      const { version, description } = of(name, alias);
      return { FunctionVersion: version, Description: description, RevisionId: `${alias} ${version}` };
    },
    CreateAlias: ({ FunctionName, Name, FunctionVersion, Description }: Record<string, string>) => {
      const fn = find(FunctionName ?? "");
      versionOf(fn, FunctionVersion ?? "");
      if (fn.addresses.has(Name ?? "")) throw conflict();
      fn.addresses.set(Name ?? "", {
        version: FunctionVersion ?? "",
        description: Description ?? "",
        permissions: new Set(),
        url: undefined,
      });
    },
    DeleteAlias: ({ FunctionName, Name }: Record<string, string>) => {
      const fn = find(FunctionName ?? "");
      if (fn.addresses.has(Name ?? "")) deleted(fn, Name ?? "");
      fn.addresses.delete(Name ?? "");
    },
    ListAliases: ({ FunctionName }: { FunctionName: string }) => ({
      Aliases: ["live", ...find(FunctionName).addresses.keys()].map((Name) => ({ Name })),
    }),
    GetFunctionUrlConfig: ({ FunctionName, Qualifier }: Asked) => urlOf(of(FunctionName, Qualifier)),
    CreateFunctionUrlConfig: ({ FunctionName, Qualifier, InvokeMode }: Asked & { InvokeMode: string }) => {
      const address = of(FunctionName, Qualifier);
      if (address.url !== undefined) throw conflict();
      address.url = { id: `u${(++ids).toString().padStart(8, "0")}`, mode: InvokeMode };
      return urlOf(address);
    },
    UpdateFunctionUrlConfig: ({ FunctionName, Qualifier, InvokeMode }: Asked & { InvokeMode: string }) => {
      const address = of(FunctionName, Qualifier);
      urlOf(address);
      address.url = { id: address.url?.id ?? "", mode: InvokeMode };
      return urlOf(address);
    },
    DeleteFunctionUrlConfig: ({ FunctionName, Qualifier }: Asked) => {
      const address = of(FunctionName, Qualifier);
      urlOf(address);
      deleted(find(FunctionName), Qualifier);
      address.url = undefined;
    },
    GetPolicy: ({ FunctionName, Qualifier }: Asked) => ({
      Policy: JSON.stringify({ Statement: [...of(FunctionName, Qualifier).permissions].map((Sid) => ({ Sid })) }),
    }),
    AddPermission: ({ FunctionName, Qualifier, StatementId }: Asked & { StatementId: string }) => {
      const { permissions } = of(FunctionName, Qualifier);
      if (permissions.has(StatementId)) throw conflict();
      permissions.add(StatementId);
    },
  };
};

/** The function and alias that a URL's id leads to; `undefined` where nobody answers there. */
export const addressAt = (functions: Iterable<Fn>, id: string): { fn: Fn; address: Address } | undefined => {
  for (const fn of functions) for (const address of fn.addresses.values()) if (address.url?.id === id) return { fn, address };
  return undefined;
};
