import { siteResources } from "../../infra/sites.ts";
import { consumers } from "../../infra/topology.ts";
import type { Cloud } from "./aws/cloud.ts";
import { places } from "./engine/config.ts";
import type { Aliases } from "./invariants/aliases.ts";

const EVERY_MS = 5 * 60_000;

/** What other people and machines do: change aliases by hand, delete versions, send dead letters again, write nonsense. */
export const chaos = (cloud: Cloud, aliases: Aliases, untilMs: number): void => {
  const { world, lambda, queues } = cloud;
  const { faults } = world;
  const random = world.random.fork("chaos");
  const functions = places.flatMap(({ site, environment }) => Object.values(siteResources(site, environment).functions));
  const round = (): void => {
    if (faults.strikes("alias-edited")) edit();
    if (faults.strikes("version-deleted")) remove();
    if (faults.strikes("poison")) queues.send(random.pick(consumers).name, random.pick(['{"detail":{}}', "not even JSON", "{}"]), 0);
    if (faults.strikes("dead-letters-redriven")) redrive();
    if (world.now() < untilMs) world.after(random.between(0.5, 1.5) * EVERY_MS, round);
  };
  world.after(random.between(0, EVERY_MS), round);

  function edit(): void {
    const fn = lambda.functions.get(random.pick(functions));
    if (fn?.alias === undefined) return;
    const version = random.pick([...fn.versions.values()].filter(({ deleted }) => !deleted));
    const seen = aliases.of(fn.name);
    seen.edited = true;
    seen.everEdited = true;
    lambda.edit(fn, random.chance(0.5) ? { version: version.version } : { version: version.version, description: "by hand" });
    world.tell(() => `somebody changes the alias of ${fn.name} to ${JSON.stringify(fn.alias)}`);
  }

  function remove(): void {
    const fn = lambda.functions.get(random.pick(functions));
    // Lambda keeps what an alias names
    const free = [...(fn?.versions.values() ?? [])].filter(({ version, deleted }) => !deleted && fn?.alias?.version !== version);
    if (free.length === 0) return;
    const version = random.pick(free);
    version.deleted = true;
    world.tell(() => `somebody deletes version ${version.version} of ${fn?.name}`);
  }

  function redrive(): void {
    const queue = random.pick(consumers).name;
    for (const { body, about } of queues.exhume(queue)) queues.send(queue, body, random.between(0, 60_000), about);
  }
};
