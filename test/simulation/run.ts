import { eventsOf } from "../../engine/log/codec.ts";
import { type Cloud, cloudOf, holdsSecret } from "./aws/cloud.ts";
import type { Fn } from "./aws/lambda.ts";
import { changeStream } from "./aws/stream.ts";
import { chaos, outage } from "./chaos.ts";
import { register } from "./engine/clouds.ts";
import { places } from "./engine/config.ts";
import { relayRecords } from "./engine/engine.ts";
import { mappingsOf, reconciler, waker } from "./engine/mappings.ts";
import type { FaultKind } from "./faults.ts";
import { checkAcknowledged } from "./invariants/acknowledged.ts";
import { aliasesOf } from "./invariants/aliases.ts";
import { placed } from "./invariants/belongings.ts";
import { edgeOf } from "./invariants/edge.ts";
import { checkCommit } from "./invariants/log.ts";
import { checkNothingFailed, checkNothingGivenUp, checkQuiet, checkRelayed, checkRows } from "./invariants/quiet.ts";
import { checkBuildStarted, checkLocks } from "./invariants/rules.ts";
import { type Sweeps, sweepsOf } from "./invariants/sweeps.ts";
import { checkSwept } from "./invariants/swept.ts";
import { webhooksOf } from "./invariants/webhooks.ts";
import { type Ledger, ledgerOf } from "./ledger.ts";
import { statusTransitions } from "./status-machine.ts";
import { sweeper } from "./sweeper.ts";
import { anything, themeNamed, themeOf } from "./themes.ts";
import { users } from "./users.ts";
import { visit } from "./visitors.ts";
import { randomOf } from "./world/random.ts";
import { createWorld, START } from "./world/world.ts";

export type RunOptions = {
  readonly seed: number;
  readonly record?: boolean;
  readonly without?: ReadonlySet<FaultKind>;
  /** numbers of user actions that are left out */
  readonly dropped?: ReadonlySet<number>;
  /** the name of the world's theme; else the seed's */
  readonly theme?: string | undefined;
};

export type Run = {
  readonly seed: number;
  /**
   * `calm`: nothing goes wrong, so nothing may fail; `outage`: one service is away for most of an hour, and nothing may be given
   * up; `safety`: faults without end; `liveness`: it must come to rest
   */
  readonly mode: "calm" | "outage" | "safety" | "liveness";
  readonly actions: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly hash: string;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly points: { readonly seen: ReadonlySet<string>; readonly hit: ReadonlySet<string> };
  readonly transitions: ReadonlySet<string>;
  readonly sweeps: Sweeps;
  readonly violations: readonly string[];
  readonly history: readonly string[];
};

/** One world of so many has no faults at all, and one a single outage. */
const CALM_EVERY = 12;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** A world that has not come to rest by then never will. */
const MAX_STEPS = 60_000;
/** For so long visitors come after everything else, and releases go. */
const AFTERWARDS_MS = 40 * MINUTE;
const SAFETY_STEPS = 8_000;
const SAFETY_AFTER_MS = 6 * 60 * MINUTE;
const QUIET_WITHIN_MS = 16 * DAY;

/** The environment that a stream is of, or that its deployment is of. */
const environmentOf = (ledger: Ledger, stream: string): string | undefined =>
  stream.startsWith("deployment/") ? placed(ledger.courseOf(stream).state.request) : stream;

/** One world from its beginning to its end. */
export const run = async ({ seed, record = false, without = new Set(), dropped = new Set(), theme: named }: RunOptions): Promise<Run> => {
  const faulty = seed % 2 === 0 ? "safety" : "liveness";
  const mode = named !== undefined ? faulty : seed % CALM_EVERY === 1 ? "calm" : seed % CALM_EVERY === 7 ? "outage" : faulty;
  const isSafety = mode === "safety";
  const cap = mode === "calm" || mode === "outage" ? 0 : isSafety ? Number.POSITIVE_INFINITY : 4;
  const theme = named !== undefined ? themeNamed(named) : cap === 0 ? anything : themeOf(randomOf(seed).fork("theme"));
  const world = createWorld({ seed, cap, without, theme, record });
  const size = world.random.fork("size");
  const actions = (theme.rollbacks === undefined ? 2 : 6) + size.int(8);
  // two releases must be live before anything can be rolled back
  const shortest = theme.rollbacks === undefined ? 2 * MINUTE : 40 * MINUTE;
  const spanMs = world.haste ? size.spread(1_000, MINUTE) : size.spread(shortest, 90 * MINUTE);
  const ledger = ledgerOf();
  const settings = new Map<string, string>();
  const aliases = aliasesOf(world, ledger, settings);
  const webhooks = webhooksOf(world);
  const edge = edgeOf(world, ledger, aliases, () => cloud);
  const sweeps = sweepsOf(ledger, () => cloud);
  let happenings = 0;
  let hands: (moved: Fn) => void = () => undefined;

  const stream = changeStream(world, relayRecords);
  const mappings = mappingsOf(
    () => cloud,
    (consumer, message) => checkAcknowledged(cloud, ledger, consumer, message),
  );
  const cloud: Cloud = cloudOf(world, places, settings, {
    appended: (stored) => {
      happenings += 1;
      checkCommit(cloud, ledger, aliases, stored, sweeps);
      for (const event of eventsOf(stored.commit)) sweepers.seen(event, environmentOf(ledger, event.stream));
      stream.put(stored);
    },
    arrived: (queue) => {
      // one that finds nothing to do is nothing
      if (queue !== "sweep") happenings += 1;
      mappings.ask(queue);
    },
    aliasMoved: (fn, from, to) => {
      aliases.moved(fn, from, to);
      hands(fn);
    },
    buildStarted: (build) => checkBuildStarted(cloud, ledger, build),
    rowWritten: (key, before, after) => {
      edge.written(key, before, after);
      if (after === undefined && before !== undefined) sweeps.rowDeleted(key);
    },
    versionDeleted: sweeps.versionDeleted,
    addressDeleted: sweeps.addressDeleted,
    objectRemoved: sweeps.objectRemoved,
    aliasRead: aliases.read,
    answered: aliases.answered,
    said: (line) => {
      const text = JSON.stringify(line);
      if (holdsSecret(text)) world.violate(`a secret is in a line of the log: ${line.message}`);
      world.tell(() => `  log: ${text.slice(0, 300)}`);
    },
    received: webhooks.received,
  });
  register(cloud);

  const faultsUntil = START + spanMs + size.spread(MINUTE, 60 * MINUTE);
  const used = places.slice(0, world.haste || theme.rollbacks !== undefined ? 1 : 1 + size.int(places.length));
  const sweepers = sweeper(cloud, used);
  const heard: string[] = [];
  users(cloud, { actions, dropped, spanMs, used, heardFault: (what) => heard.push(what) });
  if (mode === "outage") outage(cloud, spanMs);
  else hands = chaos(cloud, aliases, edge, used, faultsUntil);
  visit(cloud, ledger, edge, faultsUntil + AFTERWARDS_MS);
  let rested = false;
  waker(cloud);
  reconciler(
    cloud,
    () => happenings,
    () => {
      rested =
        world.now() > faultsUntil &&
        cloud.queues.waiting().length === 0 &&
        cloud.rows.waiting.size === 0 &&
        sweepers.isDone() &&
        stream.isEmpty() &&
        !cloud.builds.isRunning() &&
        world.busy() === 0;
    },
  );
  if (!isSafety)
    world.after(faultsUntil - START, () => {
      world.faults.stop();
      world.setClocksOff(0);
    });

  const most = (isSafety ? SAFETY_STEPS : MAX_STEPS) * (world.keep === undefined ? 1 : 2);
  const end = faultsUntil + (isSafety ? SAFETY_AFTER_MS : QUIET_WITHIN_MS);
  while (!rested && world.violations.length === 0 && world.steps() < most && world.now() < end && (await world.step()));
  if (world.violations.length === 0) {
    checkRows(cloud);
    checkRelayed(cloud);
    webhooks.checkSecrets(cloud);
  }
  for (const transition of ledger.transitions)
    if (!(statusTransitions as readonly string[]).includes(transition))
      world.violate(`a deployment went ${transition}, which its rules do not allow`);
  if (world.violations.length === 0 && !isSafety) {
    if (!rested) world.violate(`it does not come to rest: ${cloud.queues.waiting().length} messages, ${world.busy()} at work`);
    else {
      checkQuiet(cloud, ledger, aliases);
      checkLocks(cloud, ledger);
      checkSwept(cloud, ledger, sweeps);
      webhooks.checkQuiet(cloud);
      if (mode === "calm") checkNothingFailed(cloud, ledger, heard);
      if (mode !== "liveness") checkNothingGivenUp(cloud);
    }
  }
  return {
    seed,
    mode,
    actions,
    steps: world.steps(),
    virtualMs: world.now() - START,
    hash: world.hash(),
    faults: world.faults.counts,
    points: world.points,
    transitions: ledger.transitions,
    sweeps: sweeps.counts,
    violations: world.violations,
    history: world.history,
  };
};
