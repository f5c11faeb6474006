import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { PublishedFunction, Release } from "../../domain/deployment/shapes.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { readFence, sayDrift } from "../../domain/environment/fence.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import type { AliasState, Functions } from "../../engine/aws/functions.ts";
import { putBack } from "../../engine/aws/put-back.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import type { Delivery } from "../../engine/kit/consumer.ts";
import { unexpected } from "../../engine/kit/envelope.ts";
import { type Aggregates, type Because, following } from "../../engine/log/execute.ts";
import { probeOf } from "../../engine/open-next/probe.ts";
import { type AliasLog, aliasLog } from "./alias-log.ts";
import { asOnlyWriter, FilesBusy, type Leases, type Turn } from "./files-writer.ts";
import { moveAlias } from "./move-alias.ts";
import { FilesGone, type Writer } from "./public-files.ts";
import { CannotRun, warm } from "./warm.ts";

export type Ports = {
  readonly aggregates: Aggregates;
  readonly functions: Pick<Functions, "alias" | "moveAlias" | "invoke">;
  readonly clock: Clock;
  readonly leases: Leases;
  site(site: string, environment: string): SiteConfig | undefined;
  /** the public files of a release, by its manifest */
  readonly files: {
    put(site: SiteConfig, manifest: string, writer: Writer): Promise<{ isWhole: boolean; written: readonly string[] }>;
    putRight(site: SiteConfig, manifest: string, paths: readonly string[], writer: Writer): Promise<boolean>;
    removeOthers(site: SiteConfig, manifest: string, other: string, writer: Writer): Promise<boolean>;
  };
};

const ACTOR = "shiplog flip-alias";
const ALIAS = "live";
/** The server last: until then the old server answers, with helpers that are one release ahead for some milliseconds. */
const ORDER = ["revalidation", "image", "server"] as const;
/** Answers in a row that must come from the new version before the flip is recorded. */
const SURE = 2;
const VERIFY_TRIES = 50;

/** The flip cannot be done, now or later. */
class FlipImpossible extends Error {
  override readonly name = "FlipImpossible";
}

/** Brings a release live: moves the alias of every function, reads each back, and only then says so. */
export const flipAlias =
  (ports: Ports) =>
  async (event: Recorded<EnvironmentEvent>, { givesUp, again }: Delivery): Promise<void> => {
    if (event.type !== "FlipRequested") throw unexpected(event);
    const { aggregates, functions, clock } = ports;
    const { sequence, deploymentId, release, reason, forced = false } = event.body;
    const { site: name, environment } = siteOf(event.stream);
    const because = (suffix: string): Because => following(event, ACTOR, suffix);
    const record = (command: Parameters<Aggregates["environment"]["execute"]>[2], why: Because) =>
      aggregates.environment.execute(name, environment, command, why);
    const log = aliasLog(aggregates, event, ACTOR);

    const { state } = await aggregates.environment.load(name, environment);
    const site = ports.site(name, environment);
    if (site === undefined) return failed(`${name}/${environment} is not declared any more`);
    // an earlier delivery may have put its files and died before it looked whose belong there
    if (!state.open.has(sequence)) return again ? settleFiles(site) : undefined;
    if (state.flipped > sequence) {
      await superseded(state.flipped);
      return again ? settleFiles(site) : leaveFiles(site, []);
    }
    if (reason === "deploy" && (await endedMeanwhile())) {
      await failed("its deployment ended before it could go live");
      return settleFiles(site);
    }
    try {
      await flip(site, state);
    } catch (error) {
      const unfit = error instanceof FilesGone || (error instanceof CannotRun && error.unfit);
      const isOver = unfit || error instanceof FlipImpossible || error instanceof CannotRun;
      if (!isOver && !givesUp(error)) throw error;
      await failed(isOver ? error.message : `gave up: ${error instanceof Error ? error.message : String(error)}`, unfit);
      await settleFiles(site);
      if (!isOver) throw error;
    }

    async function flip(site: SiteConfig, before: Environment): Promise<void> {
      // in this order: what cannot run changes no file of what is live
      const live = before.live === null ? undefined : before.lived.get(before.live.deploymentId);
      const unproven = await warm(ports, site, { deploymentId, release, live, reason, forced, again });
      if (!(await putFiles(site))) return;
      for (const role of ORDER) {
        const target = release.functions.find((published) => published.role === role);
        if (target === undefined) continue;
        const by = await move(target, before);
        if (by !== undefined) {
          await superseded(by);
          return settleFiles(site);
        }
      }
      const by = await verify(site);
      if (by !== undefined) await superseded(by);
      else await record({ type: "RecordWentLive", sequence, ...(unproven !== undefined && { unproven }) }, because("/live"));
      await settleFiles(site);
    }

    /**
     * Puts the release's public files, as the environment's only writer, for as long as no newer flip is asked for: an
     * overtaken one stops within a batch and puts right what it wrote. Answers whether the flip goes on.
     */
    async function putFiles(site: SiteConfig): Promise<boolean> {
      const stands = (now: Environment): boolean => now.open.has(sequence) && now.flipped === sequence;
      const { isWhole, written } = await asOnlyWriter(ports, event.stream, (turn) =>
        ports.files.put(
          site,
          release.manifest,
          turn(async (isOwn) => isOwn && stands(await now())),
        ),
      );
      if (isWhole) return true;
      const { flipped, open } = await now();
      if (flipped > sequence) await superseded(flipped);
      await leaveFiles(site, written);
      // another delivery ended it, or took the files over while this one stood still: then that one goes on
      if (flipped === sequence && open.has(sequence))
        throw new FilesBusy(`another delivery of flip ${sequence} is putting its public files`);
      return false;
    }

    /**
     * A flip that is history leaves nothing behind: the paths that it wrote become what the newest release has there, and
     * what only it has goes, whoever put it. (An older flip that settles puts the files of what is about to be live, too.)
     */
    async function leaveFiles(site: SiteConfig, paths: readonly string[]): Promise<void> {
      await asOnlyWriter(ports, event.stream, async (turn) => {
        for (let isRight = false; !isRight; ) {
          const newest = newestOf(await now());
          if (newest === undefined) return;
          const writer = writerOf(newest.sequence, turn);
          const { manifest } = newest.release;
          isRight =
            (await ports.files.putRight(site, manifest, paths, writer)) &&
            (await ports.files.removeOthers(site, manifest, release.manifest, writer));
        }
      });
    }

    async function now(): Promise<Environment> {
      return (await aggregates.environment.load(name, environment)).state;
    }

    /** Writes for as long as that is the newest. Throws where another writer took over: what it does is the newer. */
    function writerOf(target: number, turn: Turn): Writer {
      return turn(async (isOwn) => {
        if (!isOwn) throw new FilesBusy(`another flip of ${name}/${environment} took its public files over`);
        return newestOf(await now())?.sequence === target;
      });
    }

    /** The claim that settles a race with a cancel: whoever appends first wins. */
    async function endedMeanwhile(): Promise<boolean> {
      const { refusal } = await aggregates.deployment.execute(deploymentId, { type: "StartFlip", sequence }, because("/start"));
      return refusal !== undefined;
    }

    /** The newer sequence, where there is one. */
    async function move(target: PublishedFunction, before: Environment): Promise<number | undefined> {
      const moved = await moveAlias(
        ports,
        target,
        ALIAS,
        { sequence, deploymentId },
        {
          highest: log.highest,
          note: (fence, found) => log.note(before, target.name, fence, found),
        },
      );
      if (moved.is === "superseded") return moved.by;
      if (moved.is === "drifted") throw new FlipImpossible(await describeDrift(log, target.name, moved.found));
      const from = moved.is === "moved" ? moved.from : (before.aliases.get(target.name)?.version ?? target.version);
      await log.flipped({ sequence, deploymentId }, target.name, from, target.version, moved.revisionId);
      if (moved.is === "cleared") await log.cleared(target.name, target.version, sequence);
      return undefined;
    }

    /** Asks through every alias until the new version answers, twice in a row. The newer sequence, where one took over. */
    async function verify(site: SiteConfig): Promise<number | undefined> {
      const verdicts = await Promise.all(release.functions.map((target) => verifyOne(site, target)));
      return verdicts.find((by) => by !== undefined);
    }

    async function verifyOne(site: SiteConfig, { role, name: fn, version }: PublishedFunction): Promise<number | undefined> {
      let sure = 0;
      for (let tries = 1; tries <= VERIFY_TRIES; tries++) {
        const { version: ran } = await functions.invoke(fn, ALIAS, probeOf(role, site.host, site.checkPath, clock.now()).payload);
        sure = ran === version ? sure + 1 : 0;
        if (sure === SURE) return undefined;
        if (sure > 0) continue;
        const at = readFence((await functions.alias(fn, ALIAS))?.description ?? "");
        if (at !== undefined && at.sequence > sequence && at.sequence <= (await log.highest())) return at.sequence;
        await clock.sleep(50 * clock.random());
      }
      throw new Error(`${fn} still answers with another version than ${version} through its alias "${ALIAS}"`);
    }

    /**
     * The files of what is live, or about to be, and no others: a slower, older flip may have put its files last, and a
     * failed one put files that nobody should see.
     */
    async function settleFiles(site: SiteConfig): Promise<void> {
      await asOnlyWriter(ports, event.stream, async (turn) => {
        let settled = sequence;
        for (;;) {
          const then = await now();
          const newest = newestOf(then);
          if (newest === undefined) return;
          const writer = writerOf(newest.sequence, turn);
          if (newest.sequence === settled) {
            // whoever overtook it knows this release alone: what was live before it is this flip's to take away
            const others = newest.sequence === sequence ? [previousOf(then)] : [release, previousOf(then)];
            if (await removeAll(site, newest.release.manifest, others, writer)) return;
          } else if ((await ports.files.put(site, newest.release.manifest, writer)).isWhole) settled = newest.sequence;
        }
      });
    }

    async function removeAll(
      site: SiteConfig,
      manifest: string,
      others: readonly (Release | undefined)[],
      writer: Writer,
    ): Promise<boolean> {
      for (const other of others)
        if (other !== undefined && !(await ports.files.removeOthers(site, manifest, other.manifest, writer))) return false;
      return true;
    }

    function previousOf({ lived }: Environment): Release | undefined {
      return event.type === "FlipRequested" && event.body.previous !== null
        ? lived.get(event.body.previous.deploymentId)?.release
        : undefined;
    }

    async function superseded(by: number): Promise<void> {
      await record({ type: "RecordFlipSuperseded", sequence, by }, because("/superseded"));
    }

    async function failed(why: string, unfit = false): Promise<void> {
      const ours = await Promise.all(
        release.functions.map(async ({ name: fn, version }) => {
          const found = await functions.alias(fn, ALIAS);
          const fence = found && readFence(found.description);
          // an earlier delivery may have moved it and died: no other flip comes that would write it down
          if (found !== undefined && fence !== undefined) await log.note(state, fn, fence, found);
          return fence?.sequence === sequence && found?.version === version;
        }),
      );
      const moved = ours.includes(true);
      await record({ type: "RecordFlipFailed", sequence, reason: why.slice(0, 2_000), moved, unfit }, because("/failed"));
    }
  };

/** Writes down what somebody did by hand, and says how to put it back. */
const describeDrift = async (log: AliasLog, fn: string, found: AliasState | null): Promise<string> => {
  const recorded = await log.drift(fn, found);
  if (found === null) return `${fn} has no alias "${ALIAS}": deploy the site's infrastructure again`;
  return `the alias "${ALIAS}" of ${fn} was changed by hand: ${sayDrift(recorded ?? null, found)}. Put it back, then deploy again: ${putBack(fn, ALIAS, recorded, found)}`;
};

/** What is live, or about to be. */
const newestOf = ({ open, live, lived }: Environment): { sequence: number; release: Release } | undefined => {
  const current = live === null ? undefined : lived.get(live.deploymentId);
  let newest = live === null || current === undefined ? undefined : { sequence: live.sequence, release: current.release };
  for (const flip of open.values())
    if (flip.sequence > (newest?.sequence ?? 0)) newest = { sequence: flip.sequence, release: flip.release };
  return newest;
};
