/** Method and path of each operation; `*` is one percent-encoded variable part. From the API's model. */
const PATHS: Readonly<Record<string, string>> = {
  CreateFunction: "POST /2015-03-31/functions",
  ListFunctions: "GET /2015-03-31/functions",
  DeleteFunction: "DELETE /2015-03-31/functions/*",
  UpdateFunctionCode: "PUT /2015-03-31/functions/*/code",
  GetFunctionConfiguration: "GET /2015-03-31/functions/*/configuration",
  UpdateFunctionConfiguration: "PUT /2015-03-31/functions/*/configuration",
  PublishVersion: "POST /2015-03-31/functions/*/versions",
  ListVersionsByFunction: "GET /2015-03-31/functions/*/versions",
  ListAliases: "GET /2015-03-31/functions/*/aliases",
  CreateAlias: "POST /2015-03-31/functions/*/aliases",
  GetAlias: "GET /2015-03-31/functions/*/aliases/*",
  UpdateAlias: "PUT /2015-03-31/functions/*/aliases/*",
  DeleteAlias: "DELETE /2015-03-31/functions/*/aliases/*",
  Invoke: "POST /2015-03-31/functions/*/invocations",
  AddPermission: "POST /2015-03-31/functions/*/policy",
  GetPolicy: "GET /2015-03-31/functions/*/policy",
  RemovePermission: "DELETE /2015-03-31/functions/*/policy/*",
  CreateFunctionUrlConfig: "POST /2021-10-31/functions/*/url",
  GetFunctionUrlConfig: "GET /2021-10-31/functions/*/url",
  UpdateFunctionUrlConfig: "PUT /2021-10-31/functions/*/url",
  DeleteFunctionUrlConfig: "DELETE /2021-10-31/functions/*/url",
  CreateEventSourceMapping: "POST /2015-03-31/event-source-mappings",
  ListEventSourceMappings: "GET /2015-03-31/event-source-mappings",
  GetAccountSettings: "GET /2016-08-19/account-settings",
};

const ROUTES = Object.entries(PATHS).map(([operation, shape]) => ({
  operation,
  pattern: new RegExp(`^${shape.replaceAll("*", "([^/]+)")}/?$`),
}));

/** Which operation a request asks for, and the decoded variable parts of its path; undefined when there is none. */
export const routeOf = (method: string, path: string): { operation: string; path: string[] } | undefined => {
  for (const { operation, pattern } of ROUTES) {
    const match = pattern.exec(`${method} ${path}`);
    if (match) return { operation, path: match.slice(1).map(decoded) };
  }
  return undefined;
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no name that anything has: the operation says so
  }
};
