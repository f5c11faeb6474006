import { siteResources } from "../../../blueprint/site-resources.ts";
import { hasEnded } from "../../../domain/deployment/decider.ts";
import type { PublishedFunction } from "../../../domain/deployment/shapes.ts";
import { deploymentStream, environmentStream } from "../../../domain/kernel/identity.ts";
import { type Alias, type Fn, isWeighted, type Version } from "../aws/lambda.ts";
import { places } from "../engine/config.ts";
import { textOf } from "../engine/publish.ts";
import type { Ledger } from "../ledger.ts";
import type { World } from "../world/world.ts";

/** What the simulation itself saw of one function's alias. */
export type Seen = {
  readonly stream: string;
  /** highest sequence that the engine moved it with */
  highest: number;
  /** which version each sequence brought */
  readonly moves: Map<number, string>;
  /** when each sequence moved it first */
  readonly movedAt: Map<number, number>;
  /** sequences whose version answered through the alias after the move */
  readonly answered: Set<number>;
  /** sequences that the alias was read to be at after the move, all of it */
  readonly read: Set<number>;
  /** somebody changed it by hand since the engine moved it */
  edited: boolean;
  everEdited: boolean;
};

export const streamOf = new Map<string, string>(
  places.flatMap(({ site, environment }) =>
    Object.values(siteResources(site, environment).functions).map((name) => [name, environmentStream(site, environment)] as const),
  ),
);

const settingsOf = ({ Handler, MemorySize, Timeout, Environment }: Version): string =>
  textOf({ handler: Handler, memoryMb: MemorySize, timeoutSeconds: Timeout, variables: Environment.Variables });

/** A version is what is recorded of it, for as long as it is there. */
export const checkRecorded = (
  world: World,
  settings: ReadonlyMap<string, string>,
  version: Version,
  { name, codeSha256, settings: recorded }: PublishedFunction,
): void => {
  if (version.sha !== codeSha256) world.violate(`version ${version.version} of ${name} does not have the code that is recorded for it`);
  if (settingsOf(version) !== settings.get(recorded))
    world.violate(`version ${version.version} of ${name} does not have the settings that are recorded for it`);
};

export type Aliases = ReturnType<typeof aliasesOf>;

/** Invariants of the aliases: what they say never falls, and they point only to what was checked and recorded. */
export const aliasesOf = (world: World, ledger: Ledger, settings: ReadonlyMap<string, string>) => {
  const seen = new Map<string, Seen>();
  const of = (name: string): Seen => {
    const found = seen.get(name) ?? {
      stream: streamOf.get(name) ?? "",
      highest: 0,
      moves: new Map(),
      movedAt: new Map(),
      answered: new Set(),
      read: new Set(),
      edited: false,
      everEdited: false,
    };
    seen.set(name, found);
    return found;
  };

  return {
    seen: seen as ReadonlyMap<string, Seen>,
    of,
    moved: (fn: Fn, from: Alias, to: Alias): void => {
      const alias = of(fn.name);
      const [, said = "", deploymentId = ""] = /^seq=(\d+) dep=(\w+)$/.exec(to.description) ?? [];
      const sequence = Number(said);
      // the same flip may only take away what a hand added to it
      const clearsWeights = isWeighted(from) && sequence === alias.highest && to.version === alias.moves.get(sequence);
      if (!(sequence > alias.highest) && !clearsWeights)
        world.violate(`the alias of ${fn.name} went from sequence ${alias.highest} to ${said || to.description}`);
      alias.highest = Math.max(alias.highest, sequence);
      alias.moves.set(sequence, to.version);
      if (!alias.movedAt.has(sequence)) alias.movedAt.set(sequence, world.now());
      alias.edited = false;
      if (isWeighted(to))
        world.violate(`the alias of ${fn.name} was moved with sequence ${said}, and a part of its visitors goes elsewhere`);

      const flip = ledger.placeOf(alias.stream).flips.get(sequence);
      if (flip === undefined || flip.deploymentId !== deploymentId) {
        world.violate(`the alias of ${fn.name} was moved with sequence ${said} for ${deploymentId}, which nobody asked for`);
        return;
      }
      const released = flip.release.functions.find(({ name }) => name === fn.name);
      if (released?.role === "server")
        for (const { name } of flip.release.functions)
          if (name !== fn.name && !of(name).everEdited && !of(name).moves.has(sequence))
            world.violate(`the alias of the server was moved with sequence ${said} before that of ${name}`);
      if (released?.version !== to.version)
        world.violate(
          `the alias of ${fn.name} was moved to version ${to.version}, and release ${flip.release.id} has ${released?.version}`,
        );
      const version = fn.versions.get(to.version);
      if (version === undefined || version.deleted || version.state !== "Active")
        world.violate(
          `the alias of ${fn.name} was moved to version ${to.version}, which is ${version?.deleted ? "deleted" : version?.state}`,
        );
      if (version !== undefined && released !== undefined) checkRecorded(world, settings, version, released);
      const { state } = ledger.courseOf(deploymentStream(deploymentId));
      if (!state.checked) world.violate(`the alias of ${fn.name} was moved to ${deploymentId}, which never passed its checks`);
      if (flip.reason === "deploy" && (!state.flipping || (hasEnded(state) && state.status === "cancelled")))
        world.violate(`the alias of ${fn.name} was moved for ${deploymentId}, which is ${state.status} and did not begin to flip`);
    },
    read: (fn: Fn, found: Alias): void => {
      const alias = of(fn.name);
      const [, said = ""] = /^seq=(\d+) /.exec(found.description) ?? [];
      if (alias.moves.get(Number(said)) === found.version && !isWeighted(found)) alias.read.add(Number(said));
    },
    answered: (fn: Fn, version: string): void => {
      const alias = of(fn.name);
      // the helpers of two releases may be the same version: it answers for both
      for (const [sequence, moved] of alias.moves) if (moved === version) alias.answered.add(sequence);
    },
  };
};
