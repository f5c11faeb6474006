import { randomBytes } from "node:crypto";
import { componentName } from "../blueprint/engine-functions.ts";
import { ACTIONS_KEY, revalidation, revalidationVisibilitySeconds, siteResources } from "../blueprint/site-resources.ts";
import { tagTable } from "../blueprint/stores.ts";
import { firstLedger, LEDGER_KEY } from "../blueprint/variables.ts";
import { kept } from "./account.ts";
import { type DeclaredSite, declaredSites } from "./declared-sites.ts";
import { edge } from "./edge.ts";
import { queueWithDeadLetters } from "./queue.ts";
import { siteFunctions } from "./site-functions.ts";
import { table } from "./table.ts";

/** Values of the environment's variables. Made with keys of its own and empty ones; what is in it later is `shiplog env`'s. */
const secret = (place: string, name: string, variables: readonly string[]): void => {
  // a secret that waits to be deleted holds its name for as long: a throw-away stage must not
  const made = new aws.secretsmanager.Secret(`${place}Secret`, { name, recoveryWindowInDays: kept ? 30 : 0 }, { retainOnDelete: kept });
  const first = {
    ...Object.fromEntries(variables.map((variable) => [variable, ""])),
    [ACTIONS_KEY]: randomBytes(32).toString("base64"),
    [LEDGER_KEY]: firstLedger(randomBytes(32).toString("base64")),
  };
  new aws.secretsmanager.SecretVersion(
    `${place}SecretValues`,
    { secretId: made.id, secretString: $util.secret(JSON.stringify(first)) },
    { ignoreChanges: ["secretString"] },
  );
};

/** A key that the environment's edge and functions know each other by: made once, and another one where its number is another. */
const originKey = (place: string, folder: string, number: number): $util.Output<string> =>
  new aws.ssm.Parameter(
    `${place}OriginKey${number}`,
    { name: `${folder}/${number}`, type: "SecureString", value: $util.secret(randomBytes(32).toString("base64url")) },
    { ignoreChanges: ["value"] },
  ).value;

const environmentOf = (site: DeclaredSite, environment: DeclaredSite["environments"][number]) => {
  const place = componentName(`${site.name}-${environment.name}`);
  const names = siteResources(site.name, environment.name);
  const { queue, dead } = queueWithDeadLetters(`${place}Revalidation`, {
    name: names.revalidationQueue,
    deadLetters: names.revalidationDeadLetters,
    fifo: true,
    visibilitySeconds: revalidationVisibilitySeconds(site),
    maxReceives: revalidation.maxReceives,
  });
  table(`${place}Tags`, tagTable(names.tagTable));
  secret(place, names.secret, site.variables);
  const originKeys = environment.originKeys.map((number) => originKey(place, names.originKeys, number));
  const { cdn, table: edgeTable } = edge(site, environment, siteFunctions(site, environment.name, queue), originKeys);
  const { distribution } = cdn.nodes;
  const host = environment.domains[0] ?? distribution.domainName;
  return {
    site,
    environment: environment.name,
    valuesReadableBy: environment.valuesReadableBy,
    title: place,
    host,
    url: $interpolate`https://${host}`,
    originKeys,
    github: environment.github,
    distribution,
    edgeTable,
    revalidationQueueUrl: queue.url,
    deadLetters: dead,
  };
};

/** Every declared environment, in the order of the sites file. */
export const environments = declaredSites.flatMap((site) => site.environments.map((environment) => environmentOf(site, environment)));

/** The tables that their edges look up; several environments share one. */
export const edgeTables = [...new Set(environments.map(({ edgeTable }) => edgeTable))];

export const outputs = Object.fromEntries(environments.map(({ site, environment, url }) => [`${site.name}/${environment}`, url]));
