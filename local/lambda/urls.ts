import { randomBytes } from "node:crypto";
import * as z from "zod";
import { functionArn, isVersionNumber } from "./names.ts";
import { answer, type Call, input, type Operations, referenceOf } from "./operation.ts";
import { aliasOf, type FunctionRecord, type FunctionUrl } from "./records.ts";
import { conflict, malformed, notFound } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { functionUrlConfig } from "./views.ts";

const InvokeMode = z.enum(["BUFFERED", "RESPONSE_STREAM"]);
const UrlInput = z.object({
  AuthType: z.enum(["NONE", "AWS_IAM"]),
  InvokeMode: InvokeMode.default("BUFFERED"),
  Cors: z.unknown().optional(),
});

/** Function URLs. One belongs to an alias or to `$LATEST` (without a qualifier), never to a version number. */
export const urlOperations = (registry: Registry, addressOf: (id: string) => string): Operations => ({
  CreateFunctionUrlConfig(call) {
    const asked = input(UrlInput, call);
    const { record, qualifier } = placeOf(registry, call);
    if (record.urls[qualifier]) {
      throw conflict(`FunctionUrlConfig exists for this Lambda function: ${functionArn(record.name, qualifier || undefined)}`);
    }
    const now = new Date().toISOString();
    const url: FunctionUrl = {
      id: randomBytes(16).toString("hex"),
      authType: asked.AuthType,
      invokeMode: asked.InvokeMode,
      ...(asked.Cors ? { cors: asked.Cors } : {}),
      created: now,
      modified: now,
    };
    registry.put({ ...record, urls: { ...record.urls, [qualifier]: url } });
    // only later answers say when it was changed
    const { LastModifiedTime: _, ...created } = functionUrlConfig(record, qualifier, url, addressOf(url.id));
    return answer(201, created);
  },

  GetFunctionUrlConfig(call) {
    const { record, qualifier } = placeOf(registry, call);
    const url = record.urls[qualifier];
    if (!url) throw notFound("The resource you requested does not exist.");
    return answer(200, functionUrlConfig(record, qualifier, url, addressOf(url.id)));
  },

  UpdateFunctionUrlConfig(call) {
    const asked = input(UrlInput.partial().extend({ InvokeMode: InvokeMode.optional() }), call);
    const { record, qualifier } = placeOf(registry, call);
    const url = record.urls[qualifier];
    if (!url) throw notFound("The resource you requested does not exist.");
    const next: FunctionUrl = {
      ...url,
      authType: asked.AuthType ?? url.authType,
      invokeMode: asked.InvokeMode ?? url.invokeMode,
      ...(asked.Cors ? { cors: asked.Cors } : {}),
      modified: new Date().toISOString(),
    };
    registry.put({ ...record, urls: { ...record.urls, [qualifier]: next } });
    return answer(200, functionUrlConfig(record, qualifier, next, addressOf(next.id)));
  },

  DeleteFunctionUrlConfig(call) {
    const { record, qualifier } = placeOf(registry, call);
    const { [qualifier]: url, ...urls } = record.urls;
    if (!url) throw notFound("The resource you requested does not exist.");
    registry.put({ ...record, urls });
    return answer(204);
  },
});

const placeOf = (registry: Registry, call: Call): { record: FunctionRecord; qualifier: string } => {
  const { name, qualifier = "" } = referenceOf(call);
  if (isVersionNumber(qualifier))
    throw malformed("A function URL belongs to an alias, not to a version number. Give the alias as Qualifier.");
  const record = registry.get(name);
  if (qualifier) aliasOf(record, qualifier);
  return { record, qualifier };
};
