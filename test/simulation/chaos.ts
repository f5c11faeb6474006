import { liveKey } from "../../blueprint/edge-table.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { consumers } from "../../blueprint/topology.ts";
import type { Cloud } from "./aws/cloud.ts";
import type { Alias, Fn } from "./aws/lambda.ts";
import type { Place } from "./engine/config.ts";
import { replayTables } from "./engine/engine.ts";
import type { Aliases } from "./invariants/aliases.ts";
import type { EdgeWatch } from "./invariants/edge.ts";
import type { Random } from "./world/random.ts";

const EVERY_MS = 5 * 60_000;
const HOUR = 3_600_000;
/** What a hand does in the middle of a flip it does within so long after an alias was moved. */
const MIDWAY_MS = 10 * 60_000;
/** What may be away for a while: each is a service that `call` knows. */
const services = ["events", "views", "sqs", "bus", "lambda", "s3", "codebuild", "secrets", "edge table"];

/**
 * What other people and machines do: change aliases by hand, delete versions, send dead letters again, write nonsense, set
 * clocks, cut a service off.
 *
 * @returns told of every alias that the engine moves
 */
export const chaos = (cloud: Cloud, aliases: Aliases, edge: EdgeWatch, used: readonly Place[], untilMs: number): ((moved: Fn) => void) => {
  const { world, lambda, queues, edgeTable } = cloud;
  const { faults } = world;
  const random = world.random.fork("chaos");
  const sets = used.map(({ site, environment }): readonly string[] => Object.values(siteResources(site, environment).functions));
  const functions = sets.flat();
  const round = (): void => {
    if (faults.strikes("alias-edited")) edit((version) => (random.chance(0.5) ? { version } : { version, description: "by hand" }));
    if (faults.strikes("alias-weighted")) edit((version) => ({ weights: { [version]: random.pick([0.1, 0.5]) } }));
    if (faults.strikes("alias-renumbered")) edit((_, fn) => ({ description: neverGiven(fn.name) }));
    if (faults.strikes("alias-deleted")) removeAlias(random.pick(functions));
    if (faults.strikes("version-deleted")) remove();
    if (faults.strikes("address-deleted")) removeAddress();
    if (faults.strikes("row-edited")) editRow();
    if (faults.strikes("clock-jump")) jump();
    if (faults.strikes("outage")) cutOff(cloud, random);
    if (faults.strikes("flood")) flood(cloud);
    if (faults.strikes("poison")) queues.send(random.pick(consumers).name, random.pick(['{"detail":{}}', "not even JSON", "{}"]), 0);
    if (faults.strikes("dead-letters-redriven")) redrive();
    if (world.now() < untilMs) world.after(random.between(0.5, 1.5) * EVERY_MS, round);
  };
  world.after(random.between(0, EVERY_MS), round);
  return ({ name }) => {
    if (faults.strikes("edge-replayed")) loseRow(sets.findIndex((set) => set.includes(name)));
    if (!faults.strikes("alias-edited-midway")) return;
    const other = random.pick(sets.find((set) => set.includes(name))?.filter((one) => one !== name) ?? []);
    world.after(random.spread(1_000, MIDWAY_MS), () => {
      if (random.chance(0.3)) removeAlias(other);
      else edit((version) => ({ version, description: "by hand" }), other);
    });
  };

  /** @param change given a version that is there */
  function edit(change: (version: string, fn: Fn) => Partial<Alias>, name = random.pick(functions)): void {
    const fn = lambda.functions.get(name);
    if (fn?.alias === undefined) return;
    const { version } = random.pick([...fn.versions.values()].filter(({ deleted }) => !deleted));
    markEdited(fn);
    lambda.edit(fn, change(version, fn));
    world.tell(() => `somebody changes the alias of ${fn.name} to ${JSON.stringify(fn.alias)}`);
  }

  function removeAlias(name: string): void {
    const fn = lambda.functions.get(name);
    if (fn?.alias === undefined) return;
    markEdited(fn);
    lambda.deleteAlias(fn);
    world.tell(() => `somebody deletes the alias of ${fn.name}`);
  }

  /** Somebody deletes the URL of a release, or its alias with it. */
  function removeAddress(): void {
    const fn = lambda.functions.get(random.pick(functions));
    const [alias] = fn === undefined ? [] : [...fn.addresses.keys()].slice(-1);
    if (fn === undefined || alias === undefined) return;
    edge.handled.add(fn.name);
    const address = fn.addresses.get(alias);
    if (random.chance(0.5) && address !== undefined) address.url = undefined;
    else fn.addresses.delete(alias);
    world.tell(() => `somebody takes the address ${alias} of ${fn.name} away`);
  }

  /** Somebody writes the row of what is live, or deletes it. */
  function editRow(): void {
    const { site, environment } = random.pick(used);
    const distribution = `E${site}${environment}`;
    const key = liveKey(distribution);
    const now = edgeTable.versions.at(-1)?.get(key);
    if (now === undefined) return;
    const past = random.pick(edgeTable.versions).get(key);
    const renumbered = now.replace(/"sequence":\d+/, `"sequence":${random.pick([1_000, 999_999_999])}`);
    edge.of(distribution).edited = true;
    edgeTable.edit(key, random.pick([undefined, past, "by hand", "{}", renumbered]));
    world.tell(() => `somebody changes the row ${key}`);
    if (faults.strikes("edge-replayed")) world.after(faults.random("edge-replayed").spread(10, MIDWAY_MS), replay);
  }

  /** Somebody deletes the row of what is live while a flip is at work, and an operator puts it right at once. */
  function loseRow(of: number): void {
    const { site, environment } = used[of] ?? {};
    const key = liveKey(`E${site}${environment}`);
    world.after(faults.random("edge-replayed").spread(1, 10_000), () => {
      if (edgeTable.versions.at(-1)?.get(key) === undefined) return;
      edge.of(`E${site}${environment}`).edited = true;
      edgeTable.edit(key, undefined);
      replay();
    });
  }

  /** While releases go live: whoever is interrupted by nothing but the cloud's own faults comes to an end, or can say why not. */
  function replay(): void {
    world.tell(() => "an operator replays the edges' tables");
    world.spawn("operator", 900, replayTables, (outcome) =>
      world.tell(() => `the operator's replay: ${outcome.is === "done" ? JSON.stringify(outcome.value) : outcome.is}`),
    );
  }

  function markEdited({ name }: Fn): void {
    const seen = aliases.of(name);
    seen.edited = true;
    seen.everEdited = true;
  }

  /** A description that looks like the engine's, with a sequence that no environment has come to. */
  function neverGiven(fn: string): string {
    const sequence = random.pick([aliases.of(fn).highest + 20, 1_000, 999_999_999_999_999]);
    return `seq=${sequence} dep=dep_${"0".repeat(26)}`;
  }

  function jump(): void {
    const off = Math.round(random.spread(HOUR, 400 * 24 * HOUR)) * (random.chance(0.6) ? 1 : -1);
    world.setClocksOff(off);
    world.tell(() => `every clock is ${Math.round(off / HOUR)} hours off`);
    world.after(random.spread(10_000, 2 * HOUR), () => {
      if (world.clocksOffMs() === off) world.setClocksOff(0);
      world.tell(() => "the clocks are set right");
    });
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
    for (const letter of queues.exhume(queue))
      if (faults.strikes("letters-stay")) queues.lay(queue, letter);
      else queues.send(queue, letter.body, random.between(0, 60_000), letter.about);
  }
};

/** Visitors take every execution of the account for a minute to an hour. */
const flood = ({ world, lambda }: Cloud): void => {
  const ms = world.faults.random("flood").spread(60_000, HOUR);
  lambda.flood(world.now() + ms);
  world.tell(() => `visitors take every execution of the account for ${Math.round(ms / 60_000)} minutes`);
};

/** One service answers nobody for ten minutes to an hour. */
const cutOff = ({ world }: Cloud, random: Random): void => {
  const service = random.pick(services);
  const ms = random.spread(10 * 60_000, HOUR);
  world.bursts.set(service, world.now() + ms);
  world.tell(() => `${service} answers nobody for ${Math.round(ms / 60_000)} minutes`);
};

/** A service goes away while something is done, and nothing else goes wrong. */
export const outage = (cloud: Cloud, spanMs: number): void => {
  const random = cloud.world.random.fork("outage");
  cloud.world.after(random.between(0, spanMs + 10 * 60_000), () => cutOff(cloud, random));
};
