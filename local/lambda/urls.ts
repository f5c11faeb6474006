import { randomBytes } from "node:crypto";
import * as z from "zod";
import { functionArn, isVersionNumber } from "./names.ts";
import { answer, type Call, input, type Operations, page, referenceOf } from "./operation.ts";
import { aliasOf, type FunctionRecord, type FunctionUrl } from "./records.ts";
import { conflict, malformed, notFound } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { functionUrlConfig } from "./views.ts";

const UrlInput = z.object({
  AuthType: z.enum(["NONE", "AWS_IAM"]).optional(),
  InvokeMode: z.enum(["BUFFERED", "RESPONSE_STREAM"]).optional(),
  Cors: z.unknown().optional(),
});

/** Function URLs. One belongs to an alias or to `$LATEST` (without a qualifier), never to a version number. */
export const urlOperations = (registry: Registry, base: () => string): Operations => {
  const put = (record: FunctionRecord, qualifier: string, url: FunctionUrl) => {
    registry.put({ ...record, urls: { ...record.urls, [qualifier]: url } });
    return functionUrlConfig(record, qualifier, url, base());
  };

  return {
    CreateFunctionUrlConfig(call) {
      const asked = input(UrlInput, call);
      const { record, qualifier } = placeOf(registry, call);
      if (record.urls[qualifier]) {
        throw conflict(`FunctionUrlConfig exists for this Lambda function: ${functionArn(record.name, qualifier || undefined)}`);
      }
      if (!asked.AuthType) throw malformed("1 validation error detected: Value at 'AuthType' must not be null");
      const now = new Date().toISOString();
      const url: FunctionUrl = {
        id: randomBytes(16).toString("hex"),
        authType: asked.AuthType,
        invokeMode: asked.InvokeMode ?? "BUFFERED",
        ...(asked.Cors ? { cors: asked.Cors } : {}),
        created: now,
        modified: now,
      };
      return answer(201, put(record, qualifier, url));
    },

    GetFunctionUrlConfig(call) {
      const { record, qualifier, url } = urlAt(registry, call);
      return answer(200, functionUrlConfig(record, qualifier, url, base()));
    },

    UpdateFunctionUrlConfig(call) {
      const asked = input(UrlInput, call);
      const { record, qualifier, url } = urlAt(registry, call);
      const next: FunctionUrl = {
        ...url,
        authType: asked.AuthType ?? url.authType,
        invokeMode: asked.InvokeMode ?? url.invokeMode,
        ...(asked.Cors ? { cors: asked.Cors } : {}),
        modified: new Date().toISOString(),
      };
      return answer(200, put(record, qualifier, next));
    },

    DeleteFunctionUrlConfig(call) {
      const { record, qualifier } = urlAt(registry, call);
      const { [qualifier]: _, ...urls } = record.urls;
      registry.put({ ...record, urls });
      return answer(204);
    },

    ListFunctionUrlConfigs(call) {
      const record = registry.get(referenceOf(call).name);
      const { page: some, ...rest } = page(Object.entries(record.urls), ([qualifier]) => `/${qualifier}`, call);
      return answer(200, {
        FunctionUrlConfigs: some.map(([qualifier, url]) => functionUrlConfig(record, qualifier, url, base())),
        ...rest,
      });
    },
  };
};

const placeOf = (registry: Registry, call: Call): { record: FunctionRecord; qualifier: string } => {
  const { name, qualifier = "" } = referenceOf(call);
  if (isVersionNumber(qualifier))
    throw malformed("A function URL belongs to an alias, not to a version number. Give the alias as Qualifier.");
  const record = registry.get(name);
  if (qualifier) aliasOf(record, qualifier);
  return { record, qualifier };
};

const urlAt = (registry: Registry, call: Call): { record: FunctionRecord; qualifier: string; url: FunctionUrl } => {
  const { record, qualifier } = placeOf(registry, call);
  const url = record.urls[qualifier];
  if (!url) throw notFound("The resource you requested does not exist.");
  return { record, qualifier, url };
};
