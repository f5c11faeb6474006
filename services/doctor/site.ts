import { environment as decider } from "../../domain/environment/decider.ts";
import { type EnvironmentEvent, environmentEventTypes, readEnvironmentEvent } from "../../domain/environment/events.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { siteResources } from "../../infra/sites.ts";
import type { Sight } from "../aws/sight.ts";
import { type Finding, missing, ok, wrong } from "./finding.ts";

/** One environment of a site. */
export type Place = { readonly site: string; readonly environment: string };

/** What one environment lives on, and whether each alias is where the log says that it was put. */
export const examineEnvironment = async (sight: Sight, { site, environment }: Place, make: string): Promise<Finding[]> => {
  const names = siteResources(site, environment);
  const recorded = await aliases();
  const findings: Finding[] = [
    await there(`build project ${names.project}`, sight.project(names.project)),
    await there(`secret ${names.secret}`, sight.secret(names.secret)),
    await there(`table ${names.tagTable}`, sight.table(names.tagTable)),
    await there(`queue ${names.revalidationQueue}`, sight.queue(names.revalidationQueue)),
  ];
  for (const name of Object.values(names.functions)) findings.push(await aliasIs(name));
  const fed = `${names.functions.revalidation}:${names.alias}`;
  const mapping = (await sight.mappings(fed)).find(({ source }) => source === names.revalidationQueue);
  const what = `mapping ${names.revalidationQueue} → ${fed}`;
  if (mapping === undefined) findings.push(missing(what, make));
  else if (!mapping.enabled)
    findings.push(
      wrong(what, "is disabled: no page is made again", `aws lambda update-event-source-mapping --enabled --uuid ${mapping.id}`),
    );
  else findings.push(ok(what, "is enabled"));
  return findings;

  async function there(what: string, look: Promise<unknown>): Promise<Finding> {
    const found = await look;
    return found === undefined || found === false ? missing(what, make) : ok(what, "is there");
  }

  /** Where the log says that each function's alias was put. */
  async function aliases(): Promise<ReadonlyMap<string, { sequence: number; version: string }>> {
    const events = await sight.events(environmentStream(site, environment));
    const known = events.filter(({ type }) => (environmentEventTypes as readonly string[]).includes(type));
    return fold(
      decider,
      known.map((event) => readEnvironmentEvent(event) as EnvironmentEvent),
    ).aliases;
  }

  async function aliasIs(name: string): Promise<Finding> {
    const what = `alias ${name}:${names.alias}`;
    const fn = await sight.fn(name);
    if (fn === undefined) return missing(`function ${name}`, make);
    const found = await sight.alias(name, names.alias);
    if (found === undefined) return missing(what, make);
    const expected = recorded.get(name);
    if (expected === undefined) return ok(what, `is at version ${found.version}; nothing has gone live here yet`);
    const isThere = found.version === expected.version && found.description.startsWith(`seq=${expected.sequence} `);
    if (isThere) return ok(what, `is at version ${found.version}, sequence ${expected.sequence}, as the log says`);
    return wrong(
      what,
      `is at version ${found.version} ("${found.description}"), and the log has put it at version ${expected.version} with sequence ${expected.sequence}`,
      `somebody moved it: shiplog why ${site}/${environment} says what should be live; a new deployment or rollback puts it right`,
    );
  }
};
