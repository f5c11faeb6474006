import { componentName, engineFunctions, functionName, logGroupName, scheduleName } from "./engine-functions.ts";
import { PREFIX } from "./prefix.ts";
import { functionNames, rolesOf, siteResources } from "./site-resources.ts";
import type { Site } from "./sites.ts";
import { buckets } from "./stores.ts";
import {
  type Consumer,
  consumers,
  deadLetterName,
  EVENTS_TABLE,
  queueName,
  ruleName,
  SNAPSHOTS_TABLE,
  schedules,
  VIEWS_TABLE,
  webhookSecret,
} from "./topology.ts";

/** A name that somebody has, and in which namespace: AWS (or the infrastructure's own list) takes it there once. */
export type Occupied = { readonly namespace: Namespace; readonly name: string };

type Namespace =
  | "function"
  | "queue"
  | "table"
  | "secret"
  | "parameter"
  | "log group"
  | "rule"
  | "CodeBuild project"
  | "bucket"
  | "folder of keys"
  | "domain"
  | "component of the infrastructure";

/** Who has names: the engine, a site, or one environment of it (`web/production`). */
type Owner = { readonly owner: string; readonly names: readonly Occupied[] };

const all = (namespace: Namespace, names: readonly string[]): Occupied[] => names.map((name) => ({ namespace, name }));

/** What one environment of a site has for itself: its functions, every name of `siteResources`, and what is made of them. */
export const occupiedByPlace = (declared: Pick<Site, "name" | "functions">, { name, domains }: Environment): Occupied[] => {
  const site = declared.name;
  // an alias is a name within its function
  const {
    functions: __,
    alias: _,
    project,
    tagTable,
    secret,
    originKeys,
    revalidationQueue,
    revalidationDeadLetters,
    ...keys
  } = siteResources(site, name);
  const ownFunctions = functionNames(site, name, declared);
  const title = componentName(`${site}-${name}`);
  return [
    ...all("function", ownFunctions),
    ...all("queue", [revalidationQueue, revalidationDeadLetters]),
    ...all("table", [tagTable]),
    ...all("secret", [secret]),
    ...all("parameter", [originKeys]),
    ...all("CodeBuild project", [project]),
    ...all("log group", [...ownFunctions.map(logGroupOf), `/aws/codebuild/${project}`]),
    ...all("folder of keys", Object.values(keys)),
    ...all("domain", domains),
    ...all("component of the infrastructure", [
      title,
      ...["BuildRole", "BuildLog", "Project"].map((part) => `${title}${part}`),
      ...rolesOf(declared).flatMap((role) => ["Role", "Log", "Function"].map((part) => `${title}${componentName(role)}${part}`)),
    ]),
  ];
};

const logGroupOf = (fn: string): string => `/aws/lambda/${fn}`;

type Environment = Pick<Site["environments"][number], "name" | "domains">;
type Declared = Pick<Site, "name" | "functions"> & { readonly environments: readonly Environment[] };

/** What a site has for all of its environments together. */
export const occupiedBySite = (site: string): Occupied[] => [
  ...all("secret", [`${PREFIX}/${site}/`]),
  ...all("folder of keys", [`sources/${site}/`]),
];

/** What the engine has for itself. */
export const occupiedByEngine = (): Occupied[] => [
  ...engineFunctions.flatMap(({ name }) => [...all("function", [functionName(name)]), ...all("log group", [logGroupName(name)])]),
  ...all(
    "queue",
    (consumers as readonly Consumer[]).flatMap(({ name }) => [queueName(name), deadLetterName(name)]),
  ),
  ...all("rule", [
    ...(consumers as readonly Consumer[]).map(({ name }) => ruleName(name)),
    ...schedules.map(({ name }) => scheduleName(name)),
  ]),
  ...all("table", [EVENTS_TABLE, VIEWS_TABLE, SNAPSHOTS_TABLE]),
  // those of webhook endpoints: the API may read and remove whatever is below
  ...all("secret", [webhookSecret("")]),
  ...all(
    "bucket",
    Object.values(buckets).map(({ name }) => name),
  ),
  ...all(
    "component of the infrastructure",
    engineFunctions.flatMap(({ name }) => ["", "Role", "Log", "Function"].map((part) => `${componentName(name)}${part}`)),
  ),
];

/**
 * Names that two of the declared sites and environments would share, or one of them and the engine: each a sentence that
 * says which two, by what name, and what to do. Empty where all is well. Two names meet where they are joined with a dash
 * (`shop` + `eu-live`, `shop-eu` + `live`), or where the infrastructure writes them without one (`web-1`, `web1`).
 */
export const sharedNames = (sites: readonly Declared[]): string[] => {
  const owners: Owner[] = [
    { owner: "the engine", names: occupiedByEngine() },
    ...sites.map(({ name }) => ({ owner: `the site ${name}`, names: occupiedBySite(name) })),
    ...sites.flatMap((site) =>
      site.environments.map((environment) => ({ owner: `${site.name}/${environment.name}`, names: occupiedByPlace(site, environment) })),
    ),
  ];
  const taken = new Map<string, string>();
  const met = new Map<string, { first: string; second: string; names: Occupied[] }>();
  for (const { owner, names } of owners) {
    for (const occupied of names) {
      const key = `${occupied.namespace} ${occupied.name}`;
      const first = taken.get(key);
      if (first === undefined) taken.set(key, owner);
      else if (first !== owner) {
        const pair = met.get(`${first} ${owner}`) ?? { first, second: owner, names: [] };
        pair.names.push(occupied);
        met.set(`${first} ${owner}`, pair);
      }
    }
  }
  return [...met.values()].map(({ first, second, names: [one, ...more] }) => {
    const others = more.length === 0 ? "" : ` and ${more.length} more ${more.length === 1 ? "name" : "names"}`;
    return `${first} and ${second} would share the ${one?.namespace} ${one?.name}${others}: rename one of them`;
  });
};
