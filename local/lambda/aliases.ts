import { randomUUID } from "node:crypto";
import * as z from "zod";
import { functionArn, LATEST } from "./names.ts";
import { answer, type Call, checkRevision, input, type Operations, page, referenceOf } from "./operation.ts";
import { type Alias, aliasOf, type FunctionRecord, findAlias, versionOf, versionsOf } from "./records.ts";
import { conflict, invalid } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { aliasConfiguration } from "./views.ts";

const ALIAS_NAME = /^(?!^[0-9]+$)([a-zA-Z0-9-_]+)$/;

const Target = z.object({
  FunctionVersion: z
    .string()
    .regex(/^(\$LATEST|[0-9]+)$/)
    .max(1024)
    .optional(),
  Description: z.string().max(256).optional(),
  RoutingConfig: z.object({ AdditionalVersionWeights: z.record(z.string(), z.number().min(0).max(1)).nullish() }).nullish(),
});
const CreateInput = Target.extend({
  Name: z.string().min(1).max(128).regex(ALIAS_NAME),
  FunctionVersion: z.string().regex(/^(\$LATEST|[0-9]+)$/),
});
const UpdateInput = Target.extend({ RevisionId: z.string().optional() });

/** Aliases. A change takes effect for every invocation that begins after it, at once and whole. */
export const aliasOperations = (
  registry: Registry,
  /** Called after an UpdateAlias that moved the alias to another version. */
  moved: () => void,
): Operations => {
  const put = (record: FunctionRecord, alias: Alias): FunctionRecord => {
    const next = { ...record, aliases: { ...record.aliases, [alias.name]: alias } };
    registry.put(next);
    return next;
  };

  return {
    CreateAlias(call) {
      const { name } = referenceOf(call);
      const asked = input(CreateInput, call);
      const record = registry.get(name);
      if (findAlias(record, asked.Name)) throw conflict(`Alias already exists: ${functionArn(name, asked.Name)}`);
      const alias = checked(record, {
        name: asked.Name,
        functionVersion: asked.FunctionVersion,
        description: asked.Description ?? "",
        weights: asked.RoutingConfig?.AdditionalVersionWeights ?? {},
        revisionId: randomUUID(),
      });
      return answer(201, aliasConfiguration(put(record, alias), alias));
    },

    GetAlias(call) {
      const { record, alias } = aliasAt(registry, call);
      return answer(200, aliasConfiguration(record, alias));
    },

    ListAliases(call) {
      const record = registry.get(referenceOf(call).name);
      const version = call.query.get("FunctionVersion");
      const all = Object.values(record.aliases).filter((alias) => version === null || alias.functionVersion === version);
      const { page: aliases, ...more } = page(all, ({ name }) => name, call);
      return answer(200, { Aliases: aliases.map((alias) => aliasConfiguration(record, alias)), ...more });
    },

    UpdateAlias(call) {
      const asked = input(UpdateInput, call);
      const { record, alias } = aliasAt(registry, call);
      checkRevision(asked.RevisionId, alias.revisionId, "GetFunction/GetAlias");
      const next = checked(record, {
        name: alias.name,
        functionVersion: asked.FunctionVersion ?? alias.functionVersion,
        description: asked.Description ?? alias.description,
        weights: asked.RoutingConfig ? (asked.RoutingConfig.AdditionalVersionWeights ?? {}) : alias.weights,
        revisionId: randomUUID(),
      });
      put(record, next);
      if (next.functionVersion !== alias.functionVersion) moved();
      return answer(200, aliasConfiguration(record, next));
    },

    /** Deleting what is not there is fine, as on AWS. */
    DeleteAlias(call) {
      const record = registry.get(referenceOf(call).name);
      const name = call.path[1] ?? "";
      if (!findAlias(record, name)) return answer(204);
      const { [name]: _alias, ...aliases } = record.aliases;
      const { [name]: _url, ...urls } = record.urls;
      const { [name]: _policy, ...policies } = record.policies;
      registry.put({ ...record, aliases, urls, policies });
      return answer(204);
    },
  };
};

const aliasAt = (registry: Registry, call: Call): { record: FunctionRecord; alias: Alias } => {
  const record = registry.get(referenceOf(call).name);
  return { record, alias: aliasOf(record, call.path[1] ?? "") };
};

/** The alias, when every version it names exists and its weights are ones that Lambda takes. */
const checked = (record: FunctionRecord, alias: Alias): Alias => {
  for (const version of versionsOf(alias)) versionOf(record, version);
  const others = Object.keys(alias.weights);
  if (others.length === 0) return alias;
  if (others.length > 1) throw invalid("Number of items in AdditionalVersionWeights cannot be greater than 1");
  if (versionsOf(alias).includes(LATEST)) throw invalid("$LATEST is not supported for an alias pointing to more than 1 version");
  if (others.includes(alias.functionVersion)) {
    throw invalid(
      `Invalid function version ${alias.functionVersion}. Function version ${alias.functionVersion} is already included in routing configuration.`,
    );
  }
  const roles = new Set(versionsOf(alias).map((version) => versionOf(record, version).configuration.Role));
  if (roles.size > 1) throw invalid("The versions of a weighted alias must have the same role.");
  return alias;
};
