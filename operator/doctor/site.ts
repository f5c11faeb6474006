import { revalidation, siteResources } from "../../blueprint/site-resources.ts";
import { sayEdgeDrift } from "../../domain/environment/edge-drift.ts";
import { isAsRecorded, isWeighted, readFence, sayDrift } from "../../domain/environment/fence.ts";
import { type Environment, isTarget } from "../../domain/environment/state.ts";
import { putBack } from "../../engine/aws/put-back.ts";
import { digestOfKey, keysOf } from "../../engine/open-next/guard.ts";
import { type Finding, missing, ok, wrong } from "./finding.ts";
import type { Sight } from "./sight.ts";

/** One environment of a site, with the names of all of its functions. */
export type Place = {
  readonly site: string;
  readonly environment: string;
  readonly functions: readonly string[];
  /** digests of the keys that its edge sends, where the engine says them */
  readonly edgeKeys?: readonly string[];
  /** as the sites file says, where that is what is known */
  readonly architecture?: "arm64" | "x86_64";
  readonly buildCompute?: string;
};

/** What one environment lives on, and whether each alias is where the log says that it was put. */
export const examineEnvironment = async (sight: Sight, place: Place, make: string): Promise<Finding[]> => {
  const { site, environment, functions, edgeKeys = [] } = place;
  const names = siteResources(site, environment);
  const findings: Finding[] = [
    await there(`build project ${names.project}`, sight.project(names.project)),
    await there(`secret ${names.secret}`, sight.secret(names.secret)),
    await there(`table ${names.tagTable}`, sight.table(names.tagTable)),
    await there(`queue ${names.revalidationQueue}`, sight.queue(names.revalidationQueue)),
  ];
  findings.push(await unconfirmed(names.revalidationDeadLetters));
  for (const name of functions) findings.push(await aliasIs(name));
  if (edgeKeys.length > 0) findings.push(await knowsEdge(sight, place, edgeKeys));
  findings.push(...rowOfLive(await sight.environment(site, environment)));
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

  /** Pages whose renewal OpenNext could not confirm: some apps have them all the time, and they do no harm. */
  async function unconfirmed(name: string): Promise<Finding> {
    const what = `dead letters ${name}`;
    const dead = await sight.queue(name);
    if (dead === undefined) return missing(what, make);
    if (dead.messages <= revalidation.deadLettersMax) return ok(what, `${dead.messages} pages could not be confirmed as made again`);
    return wrong(
      what,
      `${dead.messages} pages could not be confirmed as made again: known of partially prerendered pages and of trailingSlash (docs/features.md), else the site may fail to make pages again`,
      `see which with: shiplog events --dead-letters; then forget them with: shiplog events --dead-letters --empty ${site}/${environment}`,
    );
  }

  async function aliasIs(name: string): Promise<Finding> {
    const what = `alias ${name}:${names.alias}`;
    const fn = await sight.fn(name);
    if (fn === undefined) return missing(`function ${name}`, make);
    const found = await sight.alias(name, names.alias);
    if (found === undefined) return missing(what, make);
    // read after the alias: a flip that moved it was asked for before
    const state = await sight.environment(site, environment);
    const expected = state.aliases.get(name);
    const fence = readFence(found.description);
    if (isAsRecorded(expected, found))
      return expected === undefined
        ? ok(what, `is at version ${found.version}; nothing has gone live here yet`)
        : ok(what, `is at version ${found.version}, sequence ${expected.sequence}, as the log says`);
    if (
      fence !== undefined &&
      fence.sequence > (expected?.sequence ?? 0) &&
      !isWeighted(found) &&
      isTarget(state, fence, name, found.version)
    )
      return ok(what, `is at version ${found.version}, moved by flip ${fence.sequence}, which is under way`);
    return wrong(
      what,
      `was changed by hand: ${sayDrift(expected ?? null, found)}`,
      `${putBack(name, names.alias, expected, found)}; shiplog why ${site}/${environment} says what should be live`,
    );
  }
};

/**
 * Whether visitors are sent where the log says, as the engine saw it last: a look at the table itself costs money, and takes a
 * right that nothing else here needs.
 */
export const rowOfLive = ({ edge, edgeDrift }: Pick<Environment, "edge" | "edgeDrift">): Finding[] => {
  if (edge === null) return [];
  const { distribution, sequence, route } = edge;
  const what = `row live:${distribution}`;
  if (edgeDrift === undefined)
    return [
      ok(
        what,
        `leads to r-${route.address}, sequence ${sequence}, as far as the engine saw: it looks once an hour; to compare every row now: shiplog replay edge --verify`,
      ),
    ];
  return [
    wrong(
      what,
      `was changed by hand: ${sayEdgeDrift({ sequence, found: edgeDrift })}`,
      edgeDrift === null
        ? "the engine writes it again within some minutes; else see why not: shiplog status"
        : "the next release that goes live overwrites it; to have it put right at once: shiplog replay edge. The engine looks again within an hour, and this is said until then",
    ),
  ];
};

/** Whether visitors reach what is live: a version keeps the keys that it was published with, and an edge may send others by now. */
export const knowsEdge = async (
  sight: Pick<Sight, "fn">,
  { site, environment, functions }: Place,
  edgeKeys: readonly string[],
): Promise<Finding> => {
  const what = `edge of ${site}/${environment}`;
  const { alias } = siteResources(site, environment);
  const live = await Promise.all(functions.map(async (name) => ({ name, found: await sight.fn(name, alias) })));
  const guarded = live.flatMap(({ name, found }) => {
    const keys = found && keysOf(found)?.map(digestOfKey);
    return keys === undefined ? [] : [{ name, known: edgeKeys.filter((key) => keys.includes(key)) }];
  });
  const shut = guarded.filter(({ known }) => known.length === 0).map(({ name }) => name);
  if (shut.length > 0)
    return wrong(
      what,
      `sends no key that ${shut.join(", ")} would know: visitors get 403 from what is live`,
      `deploy ${site}/${environment} again, or declare the number of its former key beside the new one (docs/aws.md)`,
    );
  const behind = guarded.filter(({ known }) => !known.includes(edgeKeys[0] ?? "")).map(({ name }) => name);
  if (behind.length === 0) return ok(what, "what is live knows its key");
  return ok(what, `${behind.join(", ")} knows its former key alone: deploy ${site}/${environment} again before that is dropped`);
};
